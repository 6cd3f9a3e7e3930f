"""NZ-HANDSHAKE-01 from its specification, on hashlib and python3-cryptography. It shares nothing with the package."""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

XX, IK, FALLBACK, RESUMED = 1, 2, 3, 4
NAMES = {XX: "XX", IK: "IK", FALLBACK: "XXfallback", RESUMED: "NNpsk0"}
# Token lists of section 3.2; the letters of es and se mean initiator, then responder.
MESSAGES = {
    XX: [("i", "e"), ("r", "e ee s es"), ("i", "s se")],
    IK: [("i", "e es s ss"), ("r", "e ee se")],
    FALLBACK: [("r", "e ee s es"), ("i", "s se")],
    RESUMED: [("i", "e"), ("r", "e ee")],
}


def blake2b(data):
    return hashlib.blake2b(data).digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.blake2b).digest()


def hkdf(salt, ikm, info, length):
    prk = mac(salt or bytes(64), ikm)
    out, block, i = b"", b"", 1
    while len(out) < length:
        block = mac(prk, block + info + bytes([i]))
        out, i = out + block, i + 1
    return out[:length]


def raw_public(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def dh(secret, public):
    shared = secret.exchange(X25519PublicKey.from_public_bytes(public))
    assert shared != bytes(32)
    return shared


def pack(value):
    """Canonical MessagePack of what offers hold."""
    if value is None:
        return b"\xc0"
    if isinstance(value, int):
        for limit, head, form in ((0x80, b"", ">B"), (0x100, b"\xcc", ">B"), (0x10000, b"\xcd", ">H"), (1 << 32, b"\xce", ">I")):
            if value < limit:
                return head + struct.pack(form, value)
        return b"\xcf" + struct.pack(">Q", value)
    if isinstance(value, str):
        data = value.encode()
        return (bytes([0xA0 + len(data)]) if len(data) < 32 else b"\xd9" + bytes([len(data)])) + data
    if isinstance(value, bytes):
        head = b"\xc4" + bytes([len(value)]) if len(value) < 256 else b"\xc5" + struct.pack(">H", len(value))
        return head + value
    head = bytes([0x90 + len(value)]) if len(value) < 16 else b"\xdc" + struct.pack(">H", len(value))
    return head + b"".join(pack(item) for item in value)


def unpack(data):
    value, rest = unpack_one(data)
    assert rest == b""
    return value


def unpack_one(data):
    head, data = data[0], data[1:]
    if head < 0x80:
        return head, data
    if 0x90 <= head <= 0x9F or head == 0xDC:
        if head == 0xDC:
            count, data = struct.unpack(">H", data[:2])[0], data[2:]
        else:
            count = head - 0x90
        items = []
        for _ in range(count):
            item, data = unpack_one(data)
            items.append(item)
        return items, data
    if 0xA0 <= head <= 0xBF:
        return data[: head - 0xA0].decode(), data[head - 0xA0 :]
    if head == 0xC0:
        return None, data
    if head in (0xC4, 0xC5, 0xD9):
        size = 2 if head == 0xC5 else 1
        length = int.from_bytes(data[:size], "big")
        body, rest = data[size : size + length], data[size + length :]
        return (body.decode() if head == 0xD9 else body), rest
    size = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}[head]
    return int.from_bytes(data[:size], "big"), data[size:]


class Noise:
    """SymmetricState and HandshakeState, for one of the four patterns."""

    def __init__(self, pattern, role, prologue, static, psk, rs=None, e=None, re=None):
        self.role, self.static, self.psk, self.rs, self.e, self.re = role, static, psk, rs, e, re
        self.tokens = [(who, text.split()) for who, text in MESSAGES[pattern]]
        modifier = ""
        if psk:
            self.tokens[0][1].insert(0, "psk")
            modifier = {FALLBACK: "+psk0", RESUMED: ""}.get(pattern, "psk0")
        name = f"Noise_{NAMES[pattern]}{modifier}_25519_ChaChaPoly_BLAKE2b".encode()
        self.h = name.ljust(64, b"\0") if len(name) <= 64 else blake2b(name)
        self.ck, self.k, self.n = self.h, None, 0
        self.first = self.tokens[0][0]
        self.mix_hash(prologue)
        if pattern == IK:
            self.mix_hash(rs if role == "i" else raw_public(static))
        if pattern == FALLBACK:
            self.mix_ephemeral(raw_public(e) if role == "i" else re)

    def mix_hash(self, data):
        self.h = blake2b(self.h + data)

    def mix_key(self, ikm):
        out = hkdf(self.ck, ikm, b"", 128)
        self.ck, self.k, self.n = out[:64], out[64:96], 0

    def mix_ephemeral(self, public):
        self.mix_hash(public)
        if self.psk:
            self.mix_key(public)

    def nonce(self):
        self.n += 1
        return bytes(4) + struct.pack("<Q", self.n - 1)

    def encrypt(self, plain):
        sealed = ChaCha20Poly1305(self.k).encrypt(self.nonce(), plain, self.h) if self.k else plain
        self.mix_hash(sealed)
        return sealed

    def decrypt(self, sealed):
        plain = ChaCha20Poly1305(self.k).decrypt(self.nonce(), sealed, self.h) if self.k else sealed
        self.mix_hash(sealed)
        return plain

    def mix_token(self, token):
        if token == "psk":
            out = hkdf(self.ck, self.psk, b"", 192)
            self.ck = out[:64]
            self.mix_hash(out[64:128])
            self.k, self.n = out[128:160], 0
            return
        ours, theirs = (token[0], token[1]) if self.role == "i" else (token[1], token[0])
        self.mix_key(dh(self.e if ours == "e" else self.static, self.re if theirs == "e" else self.rs))

    def write(self, payload):
        who, tokens = self.tokens.pop(0)
        assert who == self.role
        out = b""
        for token in tokens:
            if token == "e":
                self.e = self.e or X25519PrivateKey.generate()
                out += raw_public(self.e)
                self.mix_ephemeral(raw_public(self.e))
            elif token == "s":
                out += self.encrypt(raw_public(self.static))
            else:
                self.mix_token(token)
        return out + self.encrypt(payload)

    def read(self, message):
        who, tokens = self.tokens.pop(0)
        assert who != self.role
        for token in tokens:
            if token == "e":
                self.re, message = message[:32], message[32:]
                self.mix_ephemeral(self.re)
            elif token == "s":
                length = 48 if self.k else 32
                self.rs, message = self.decrypt(message[:length]), message[length:]
            else:
                self.mix_token(token)
        return self.decrypt(message)

    def split(self):
        """Keys of the initiator's and of the responder's direction."""
        out = hkdf(self.ck, b"", b"", 128)
        first, second = out[:32], out[64:96]
        return (first, second) if self.first == "i" else (second, first)


class Handshake:
    def __init__(self, role, identity, static, offer, network_key=None, remote_static=None, now=0, ticket=None):
        """`ticket` is (id, secret, identity of the peer): the one to dial with, or the only one that a responder has given."""
        self.ticket = ticket
        self.role, self.identity, self.static, self.offer, self.now = role, identity, static, offer, now
        self.psk, self.remote_static, self.flags = network_key, remote_static, 1 if network_key else 0

    def header(self, pattern):
        return bytes([1, pattern, 1, self.flags])

    def resuming(self):
        name, secret, self.peer = self.ticket
        psk = hkdf(self.psk, secret, b"NZ-HANDSHAKE-01/resumption-psk", 32) if self.psk else secret
        return Noise(RESUMED, self.role, b"NZ-HANDSHAKE-01" + self.header(RESUMED) + name, None, psk)

    def tickets(self):
        """(id, secret) of the ticket that the initiator dials with, and of the responder's."""
        out = hkdf(self.h, self.keys[0] + self.keys[1], b"NZ-HANDSHAKE-01/tickets", 96)
        return (out[:16], out[16:48]), (out[48:64], out[64:])

    def noise(self, pattern, context, **keys):
        return Noise(pattern, self.role, b"NZ-HANDSHAKE-01" + context, self.static, self.psk, **keys)

    def tag(self, message):
        return mac(mac(self.psk, b"NZ-HANDSHAKE-01/network-tag"), message)[:16] if self.psk else b""

    def offer_bytes(self):
        expiry = self.now + 86_400_000
        signed = b"NZ-HANDSHAKE-01/static-key" + raw_public(self.static) + struct.pack(">Q", expiry)
        versions, features, ciphers, size, early = self.offer
        fields = [*versions, features, ciphers, size, raw_public(self.identity), expiry, self.identity.sign(signed), early]
        return pack(fields)

    def terms_bytes(self):
        versions, features, ciphers, size, early = self.offer
        return pack([*versions, features, ciphers, size, early])

    def check_terms(self, payload):
        self.remote = unpack(payload)
        self.early = self.remote[5]

    def check_offer(self, payload):
        fields = unpack(payload)
        signed = b"NZ-HANDSHAKE-01/static-key" + self.state.rs + struct.pack(">Q", fields[6])
        Ed25519PublicKey.from_public_bytes(fields[5]).verify(fields[7], signed)
        assert fields[6] + 600_000 >= self.now
        self.remote, self.peer, self.early = fields, fields[5], fields[8]

    def run(self, send, receive):
        (self.run_initiator if self.role == "i" else self.run_responder)(send, receive)
        self.keys = self.state.split()
        self.h = self.state.h
        mine, theirs = (self.offer, self.remote) if self.role == "i" else (self.remote, self.offer)
        ciphers = [o[2] if len(o) == 5 else o[3] for o in (mine, theirs)]
        self.cipher = next(name for name in ciphers[0] if name in ciphers[1])
        self.record_size = min(self.offer[3], self.remote[4])

    def run_initiator(self, send, receive):
        pattern = RESUMED if self.ticket else IK if self.remote_static else XX
        if pattern == RESUMED:
            self.state = self.resuming()
            first = self.header(pattern) + self.ticket[0] + self.state.write(self.terms_bytes())
        else:
            keys = {"rs": self.remote_static} if pattern == IK else {}
            self.state = self.noise(pattern, self.header(pattern), **keys)
            first = self.header(pattern) + self.state.write(self.offer_bytes() if pattern == IK else b"")
        first += self.tag(first)
        send(first)
        second = receive()
        if second[:4] == self.header(FALLBACK) and pattern in (IK, RESUMED):
            pattern = FALLBACK
            self.state = self.noise(pattern, self.header(pattern) + first, e=self.state.e)
        assert second[:4] == self.header(pattern)
        (self.check_terms if pattern == RESUMED else self.check_offer)(self.state.read(second[4:]))
        self.pattern = NAMES[pattern]
        if pattern in (XX, FALLBACK):
            send(self.header(pattern) + self.state.write(self.offer_bytes()))

    def run_responder(self, send, receive):
        first = receive()
        pattern = first[1]
        assert first[:4] == self.header(pattern) and pattern in (XX, IK, RESUMED)
        body = first[:-16] if self.psk else first
        assert hmac.compare_digest(self.tag(body), first[len(body) :])
        noise = body[20:] if pattern == RESUMED else body[4:]
        try:
            if pattern == RESUMED:
                assert self.ticket and body[4:20] == self.ticket[0]
                self.state = self.resuming()
            else:
                self.state = self.noise(pattern, self.header(pattern))
            payload = self.state.read(noise)
        except Exception:
            assert pattern in (IK, RESUMED)
            pattern = FALLBACK
            self.state = self.noise(pattern, self.header(pattern) + first, re=noise[:32])
        self.pattern = NAMES[pattern]
        if pattern == IK:
            self.check_offer(payload)
            send(self.header(IK) + self.state.write(self.offer_bytes()))
            return
        if pattern == RESUMED:
            self.ticket = None
            self.check_terms(payload)
            send(self.header(RESUMED) + self.state.write(self.terms_bytes()))
            return
        send(self.header(pattern) + self.state.write(self.offer_bytes()))
        third = receive()
        assert third[:4] == self.header(pattern)
        self.check_offer(self.state.read(third[4:]))
