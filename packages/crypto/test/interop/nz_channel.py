"""The stream records of NZ-CHANNEL-01 from its specification."""

import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from nz_handshake import dh, hkdf, raw_public

DATA, KEY_UPDATE, OFFER, ANSWER, COMMIT, CLOSE = range(6)


class Direction:
    def __init__(self, secret, cipher):
        self.cipher = cipher
        self.install(secret)

    def install(self, secret):
        self.secret = secret
        self.step()

    def step(self):
        out = hkdf(b"", self.secret, b"NZ-CHANNEL-01/step", 96)
        self.secret, self.chacha, self.aes, self.counter = out[:32], out[32:64], out[64:], 0

    def aead(self, length):
        is_chacha = self.cipher == "chacha20poly1305" or (self.cipher != "aes256gcm" and length <= 1536)
        form = "<Q" if is_chacha else ">Q"
        nonce = bytes(4) + struct.pack(form, self.counter)
        self.counter += 1
        return (ChaCha20Poly1305(self.chacha) if is_chacha else AESGCM(self.aes)), nonce

    def seal(self, kind, content):
        length = struct.pack(">I", len(content) + 17)
        aead, nonce = self.aead(len(content) + 17)
        return length + aead.encrypt(nonce, bytes([kind]) + content, length)

    def open(self, length, sealed):
        aead, nonce = self.aead(len(sealed))
        plain = aead.decrypt(nonce, sealed, length)
        return plain[0], plain[1:]


class Channel:
    def __init__(self, role, keys, h, cipher):
        self.role = role
        roots = hkdf(h, keys[0] + keys[1], b"NZ-CHANNEL-01/roots", 64)
        self.root = roots[:32]
        sending, receiving = self.traffic()
        self.sending, self.receiving = Direction(sending, cipher), Direction(receiving, cipher)
        self.offered, self.awaited, self.steps, self.updates = None, None, 0, 0

    def traffic(self):
        out = hkdf(b"", self.root, b"NZ-CHANNEL-01/traffic", 64)
        return (out[:32], out[32:]) if self.role == "i" else (out[32:], out[:32])

    def mix(self, secret, remote, offer, answer):
        self.root = hkdf(self.root, dh(secret, remote), b"NZ-CHANNEL-01/dh" + offer + answer, 32)
        self.steps += 1
        return self.traffic()

    def update(self, ask):
        wire = self.sending.seal(KEY_UPDATE, bytes([ask]))
        self.sending.step()
        self.updates += 1
        return wire

    def offer(self):
        self.offered = X25519PrivateKey.generate()
        return self.sending.seal(OFFER, raw_public(self.offered))

    def open(self, length, sealed):
        """Answers what to send at once, and the user's bytes, if any; None for them means that the peer closed."""
        kind, content = self.receiving.open(length, sealed)
        if kind == DATA:
            return b"", content
        if kind == KEY_UPDATE:
            self.receiving.step()
            return (self.update(0) if content == b"\1" else b""), b""
        if kind == OFFER:
            if self.offered and self.role == "i":
                return b"", b""
            self.offered, pair = None, X25519PrivateKey.generate()
            sending, self.awaited = self.mix(pair, content, content, raw_public(pair))
            wire = self.sending.seal(ANSWER, raw_public(pair))
            self.sending.install(sending)
            return wire, b""
        if kind == ANSWER:
            sending, receiving = self.mix(self.offered, content, raw_public(self.offered), content)
            self.offered = None
            self.receiving.install(receiving)
            wire = self.sending.seal(COMMIT, b"")
            self.sending.install(sending)
            return wire, b""
        if kind == COMMIT:
            self.receiving.install(self.awaited)
            self.awaited = None
            return b"", b""
        assert kind == CLOSE and content == b""
        return b"", None
