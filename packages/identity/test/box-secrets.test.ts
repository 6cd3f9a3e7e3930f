import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createIdentity, type Identity } from '../src/index.ts';

/** What the primitives gave to HPKE: each is a secret, or on the way to one. */
const given = vi.hoisted((): Uint8Array[] => []);

vi.mock('@nzcore/crypto', async (importActual) => {
  const actual = await importActual<typeof import('@nzcore/crypto')>();
  const kept = <T extends Uint8Array>(bytes: T): T => {
    given.push(bytes);
    return bytes;
  };
  return {
    ...actual,
    hmac: (...args: Parameters<typeof actual.hmac>) => kept(actual.hmac(...args)),
    ed25519SecretKeyToX25519: (secretKey: Uint8Array) => kept(actual.ed25519SecretKeyToX25519(secretKey)),
    x25519: {
      ...actual.x25519,
      generateKeyPair: () => {
        const pair = actual.x25519.generateKeyPair();
        kept(pair.secretKey);
        return pair;
      },
      sharedSecret: (secretKey: Uint8Array, publicKey: Uint8Array) =>
        kept(actual.x25519.sharedSecret(secretKey, publicKey)),
    },
  };
});

let alice: Identity;
let bob: Identity;
const message = new TextEncoder().encode('hello');

beforeAll(async () => {
  const { ready } = await import('@nzcore/crypto');
  await ready();
  alice = createIdentity();
  bob = createIdentity();
});

/** A key schedule hashes the public info and the absent PSK, which stay: two outputs for each context. */
function expectWiped(contexts: number): void {
  const left = given.filter((bytes) => bytes.some((byte) => byte !== 0));
  expect(given.length).toBeGreaterThan(5 * contexts);
  expect(left.length).toBe(2 * contexts);
  given.length = 0;
}

describe('what a box was made from', () => {
  it('is wiped after sealing and after opening', () => {
    given.length = 0;
    const sealed = alice.box(bob.peerId, message);
    expectWiped(2);
    expect(bob.open(sealed)).toEqual({ message, from: alice.peerId });
    expectWiped(2);
  });

  it('is wiped when a box does not open', () => {
    const sealed = alice.box(bob.peerId, message);
    given.length = 0;
    sealed[sealed.length - 1]! ^= 1;
    expect(() => bob.open(sealed)).toThrow();
    expectWiped(1);
  });
});
