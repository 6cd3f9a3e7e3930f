"""
A peer on standard input and output, for the tests: `peer.py CONFIG`, CONFIG being JSON with role (i or r), seed, static, ciphers, early,
networkKey and remoteStatic (hex), now; with `resume` it makes a second handshake with a ticket of the first, in the role that `resume` says,
or with `forgets` without knowing that ticket. It completes the handshake (each message behind its length in two bytes), writes what it found as a JSON
line to standard error, and echoes every DATA record. `update` and `ratchet` as content make it renew its keys first; CLOSE is answered by CLOSE.
"""

import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from nz_channel import CLOSE, DATA, Channel
from nz_handshake import Handshake


def read(length):
    data = sys.stdin.buffer.read(length)
    if len(data) < length:
        raise EOFError
    return data


def write(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def report(**facts):
    print(json.dumps(facts), file=sys.stderr, flush=True)


def main():
    config = json.loads(sys.argv[1])
    unhex = lambda name: bytes.fromhex(config[name]) if config.get(name) else None
    identity = Ed25519PrivateKey.from_private_bytes(unhex("seed"))
    static = X25519PrivateKey.from_private_bytes(unhex("static"))
    features = ["python", "resume"] if config.get("resume") else ["python"]
    offer = ((1, 1), features, config["ciphers"], 66560, unhex("early"))
    keys = {"network_key": unhex("networkKey"), "remote_static": unhex("remoteStatic")}
    send = lambda message: write(len(message).to_bytes(2, "big") + message)
    receive = lambda: read(int.from_bytes(read(2), "big"))
    role = config["role"]
    handshake = Handshake(role, identity, static, offer, now=config["now"], **keys)
    handshake.run(send, receive)
    if config.get("resume"):
        role = config["resume"]
        mine, theirs = handshake.tickets() if config["role"] == "i" else handshake.tickets()[::-1]
        ticket = None if config.get("forgets") else (*(mine if role == "i" else theirs), handshake.peer)
        handshake = Handshake(role, identity, static, offer, now=config["now"], ticket=ticket, **keys)
        handshake.run(send, receive)
    early = handshake.early
    report(
        pattern=handshake.pattern,
        identity=handshake.peer.hex(),
        hash=handshake.h.hex(),
        cipher=handshake.cipher,
        early=early.hex() if early is not None else None,
    )
    channel = Channel(role, handshake.keys, handshake.h, handshake.cipher)
    while True:
        length = read(4)
        control, content = channel.open(length, read(int.from_bytes(length, "big")))
        write(control)
        if content is None:
            write(channel.sending.seal(CLOSE, b""))
            report(ratchets=channel.steps, updates=channel.updates)
            return
        if content == b"update":
            write(channel.update(1))
        if content == b"ratchet":
            write(channel.offer())
        if content:
            write(channel.sending.seal(DATA, content))


main()
