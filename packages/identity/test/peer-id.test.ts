import { readFileSync } from 'node:fs';
import { ed25519, ed25519PublicKeyToX25519, ed25519SecretKeyToX25519, ready, sha256 } from '@nzcore/crypto';
import fc from 'fast-check';
import { base58btc } from 'multiformats/bases/base58';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  dhtKey,
  formatDidKey,
  IdentityError,
  isPeerId,
  parsePeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
} from '../src/index.ts';

interface DidKeyVector {
  seed: string;
  did: string;
  publicKeyBase58: string;
  x25519PublicKeyBase58: string;
  x25519PrivateKeyBase58: string;
}

const { vectors } = JSON.parse(
  readFileSync(new URL('./vectors/did-key-ed25519.json', import.meta.url), 'utf8'),
) as { vectors: DidKeyVector[] };

const fromHex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const fromBase58 = (text: string) => base58btc.decode(`z${text}`);

beforeAll(ready);

describe('PeerId', () => {
  it.each(vectors)('is the did:key of the method’s own vectors: $did', (vector) => {
    const { publicKey, secretKey } = ed25519.keyPairFromSeed(fromHex(vector.seed));
    expect(publicKey).toEqual(fromBase58(vector.publicKeyBase58));
    const id = peerIdFromPublicKey(publicKey);
    expect(formatDidKey(id)).toBe(vector.did);
    expect(parsePeerId(vector.did)).toBe(id);
    expect(publicKeyFromPeerId(id)).toEqual(publicKey);
    // The same vectors give the X25519 form that sealed messages are addressed to.
    expect(ed25519PublicKeyToX25519(publicKey)).toEqual(fromBase58(vector.x25519PublicKeyBase58));
    const x25519SecretKey = clamp(ed25519SecretKeyToX25519(secretKey));
    expect(x25519SecretKey).toEqual(clamp(fromBase58(vector.x25519PrivateKeyBase58)));
  });

  it('decodes what it encodes, for any key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const id = peerIdFromPublicKey(key);
        expect(id).toMatch(/^z6Mk.{44}$/);
        expect(parsePeerId(id)).toBe(id);
        expect(parsePeerId(formatDidKey(id))).toBe(id);
        expect(publicKeyFromPeerId(id)).toEqual(key);
      }),
    );
  });

  it('has one text form only: every other text is refused with one code', () => {
    const id = peerIdFromPublicKey(new Uint8Array(32).fill(7));
    const refused = [
      '',
      'z6Mk',
      ` ${id}`,
      `${id} `,
      `${id}\n`,
      id.slice(0, -1),
      `${id}1`,
      id.toLowerCase(),
      `did:key:did:key:${id}`,
      `did:key:${id}#${id}`,
      `DID:KEY:${id}`,
      // 49 digits of the alphabet above the largest 34-byte number that begins with 0xed 0x01
      `z6Mk${'z'.repeat(44)}`,
      // an X25519 key, not an identity
      'z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW',
      'z'.repeat(100_000),
    ];
    for (const text of refused) {
      expect(isPeerId(text), text.slice(0, 60)).toBe(false);
      expect(() => parsePeerId(text)).toThrow(expect.objectContaining({ code: 'INVALID_PEER_ID' }));
    }
    expect(isPeerId(undefined)).toBe(false);
  });

  it('throws INVALID_PEER_ID and nothing else for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(did:key:)?z6Mk[1-9A-Za-z]{40,46}$/)), (text) => {
        try {
          expect(formatDidKey(parsePeerId(text))).toMatch(/^did:key:z6Mk/);
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError);
          expect((error as IdentityError).code).toBe('INVALID_PEER_ID');
        }
      }),
    );
  });

  it('takes a key of 32 bytes only', () => {
    expect(() => peerIdFromPublicKey(new Uint8Array(31))).toThrow(TypeError);
    expect(() => peerIdFromPublicKey(new Uint8Array(33))).toThrow(TypeError);
  });

  it('has SHA-256 of the multicodec form as its place in the DHT', () => {
    const id = parsePeerId(vectors[0]!.did);
    expect(dhtKey(id)).toEqual(sha256(base58btc.decode(id)));
    expect(dhtKey(id)).toHaveLength(32);
  });
});

function clamp(key: Uint8Array): Uint8Array {
  const clamped = key.slice();
  clamped[0]! &= 248;
  clamped[31]! &= 127;
  clamped[31]! |= 64;
  return clamped;
}
