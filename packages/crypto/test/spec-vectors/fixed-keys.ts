import type { KeyPair, Primitives } from '../../src/index.ts';

/** Primitives whose key pairs are not random but these secrets, one after another: for vectors only. */
export function withFixedKeyPairs(primitives: Primitives, secrets: readonly Uint8Array[]): Primitives {
  const rest = [...secrets];
  const generateKeyPair = (): KeyPair => {
    const secretKey = rest.shift()?.slice();
    if (!secretKey) throw new Error('more key pairs are needed than were given');
    return { publicKey: primitives.x25519.publicKey(secretKey), secretKey };
  };
  return { ...primitives, x25519: { ...primitives.x25519, generateKeyPair } };
}

/** 32 bytes that count up from `first`. */
export function countingSecret(first: number): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => (first + i) & 0xff);
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
