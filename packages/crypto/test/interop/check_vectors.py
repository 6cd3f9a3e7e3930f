"""Opens every record and datagram of spec/vectors/NZ-CHANNEL-01.json (the argument) with keys derived here, and prints how many."""

import json
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from nz_channel import ANSWER, COMMIT, DATA, KEY_UPDATE, OFFER, Direction
from nz_handshake import dh, hkdf, raw_public

vectors = json.load(open(sys.argv[1]))
unhex = lambda name: bytes.fromhex(vectors[name])
pairs = {role: X25519PrivateKey.from_private_bytes(bytes.fromhex(secret)) for role, secret in vectors["ratchetSecrets"].items()}
offer, answer = raw_public(pairs["initiator"]), raw_public(pairs["responder"])
roots = hkdf(unhex("handshakeHash"), unhex("initiatorKey") + unhex("responderKey"), b"NZ-CHANNEL-01/roots", 64)


def generations(root):
    shared = dh(pairs["initiator"], answer)
    return [root, hkdf(root, shared, b"NZ-CHANNEL-01/dh" + offer + answer, 32)]


def traffic(root):
    out = hkdf(b"", root, b"NZ-CHANNEL-01/traffic", 64)
    return {"initiator": out[:32], "responder": out[32:]}


def check_schedule(listed, root):
    for generation, root in zip(listed, generations(root)):
        assert generation["root"] == root.hex()
        for role, secret in traffic(root).items():
            for step in generation[role]:
                assert step["secret"] == secret.hex()
                direction = Direction(secret, "chacha20poly1305")
                assert (step["chacha"], step["aes"]) == (direction.chacha.hex(), direction.aes.hex())
                secret = direction.secret


def check_stream(run):
    roots_of_stream = generations(roots[:32])
    sides = {role: Direction(secret, run["recordCipher"]) for role, secret in traffic(roots_of_stream[0]).items()}
    count = 0
    for flight in run["flights"]:
        wire, sender, data = bytes.fromhex(flight["wire"]), flight["sender"], None
        while wire:
            length = struct.unpack(">I", wire[:4])[0]
            kind, content = sides[sender].open(wire[:4], wire[4 : 4 + length])
            wire, count = wire[4 + length :], count + 1
            if kind == DATA:
                data = content.hex()
            elif kind == KEY_UPDATE:
                sides[sender].step()
            elif kind == OFFER:
                assert content == offer
            elif kind in (ANSWER, COMMIT):
                assert content == (answer if kind == ANSWER else b"")
                sides[sender].install(traffic(roots_of_stream[1])[sender])
        assert data == flight["data"]
    return count


def check_datagrams(run):
    for datagram in run["datagrams"]:
        wire = bytes.fromhex(datagram["wire"])
        generation, step, counter = struct.unpack(">HHQ", wire[:12])
        root = generations(roots[32:])[generation]
        direction = Direction(traffic(root)[datagram["sender"]], run["recordCipher"])
        for _ in range(step):
            direction.step()
        direction.counter = counter
        kind, content = direction.open(wire[:12], wire[12:])
        assert (content.hex() if kind == DATA else None) == datagram["data"]
    return len(run["datagrams"])


check_schedule(vectors["generations"]["stream"], roots[:32])
check_schedule(vectors["generations"]["datagram"], roots[32:])
print(sum(map(check_stream, vectors["streams"])), sum(map(check_datagrams, vectors["datagrams"])))
