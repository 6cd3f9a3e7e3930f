import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { ready } from '@nzcore/crypto';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  createMnemonic,
  entropyToMnemonic,
  IdentityError,
  identityFromMnemonic,
  identityFromSeed,
  mnemonicToEntropy,
  parseMnemonic,
  seedFromMnemonic,
} from '../src/index.ts';

interface Bip39Vectors {
  passphrase: string;
  vectors: { entropy: string; mnemonic: string; seed: string }[];
}

const { passphrase, vectors } = JSON.parse(
  readFileSync(new URL('./vectors/bip39-english.json', import.meta.url), 'utf8'),
) as Bip39Vectors;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

beforeAll(ready);
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('mnemonic (BIP-39)', () => {
  it('passes all 24 official vectors: entropy, words, seed', async () => {
    expect(vectors).toHaveLength(24);
    for (const { entropy, mnemonic, seed } of vectors) {
      expect(entropyToMnemonic(Uint8Array.from(Buffer.from(entropy, 'hex')))).toBe(mnemonic);
      expect(hex(mnemonicToEntropy(mnemonic))).toBe(entropy);
      expect(hex(await seedFromMnemonic(mnemonic, { passphrase }))).toBe(seed);
    }
  });

  it('gives the same seed where the page has no WebCrypto', async () => {
    vi.stubGlobal('crypto', { getRandomValues: globalThis.crypto.getRandomValues });
    expect(hex(await seedFromMnemonic(vectors[0]!.mnemonic, { passphrase }))).toBe(vectors[0]!.seed);
  });

  it('gives the same peer for the same words and passphrase, another for another passphrase', async () => {
    const words = vectors[1]!.mnemonic;
    using identity = await identityFromMnemonic(words, { passphrase });
    using again = await identityFromMnemonic(words.toUpperCase().replaceAll(' ', ' \n\t '), { passphrase });
    using other = await identityFromMnemonic(words);
    using rotated = await identityFromMnemonic(words, { passphrase, generation: 1 });
    using fromSeed = identityFromSeed(Uint8Array.from(Buffer.from(vectors[1]!.seed, 'hex')));
    expect(again.peerId).toBe(identity.peerId);
    expect(fromSeed.peerId).toBe(identity.peerId);
    expect(other.peerId).not.toBe(identity.peerId);
    expect(rotated.peerId).not.toBe(identity.peerId);
  });

  it.each([12, 15, 18, 21, 24] as const)('makes %i fresh valid words', (words) => {
    const first = createMnemonic({ words });
    expect(first.split(' ')).toHaveLength(words);
    expect(parseMnemonic(first)).toBe(first);
    expect(createMnemonic({ words })).not.toBe(first);
  });

  it('makes 24 words unless told, and no other number than BIP-39 has', () => {
    expect(createMnemonic().split(' ')).toHaveLength(24);
    expect(() => createMnemonic({ words: 13 as 12 })).toThrow(RangeError);
    expect(() => entropyToMnemonic(new Uint8Array(17))).toThrow(RangeError);
  });

  it('refuses a wrong checksum, count, order or word, and says none of the words', () => {
    const words = vectors[13]!.mnemonic.split(' ');
    const wrong = [
      '',
      words.slice(1).join(' '),
      [...words, ...words].join(' '),
      words.with(0, 'zoo').join(' '),
      words.with(0, 'beispielwort').join(' '),
      [words[1], words[0], ...words.slice(2)].join(' '),
      'zoo '.repeat(1000),
    ];
    for (const text of wrong) {
      const error = thrownBy(() => parseMnemonic(text));
      expect(error).toMatchObject({ code: 'INVALID_MNEMONIC' });
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/zoo|beispielwort/);
    }
  });

  it('throws INVALID_MNEMONIC and nothing else for any text', () => {
    const word = fc.oneof(
      fc.string({ maxLength: 9 }),
      fc.constantFrom(...vectors.flatMap((v) => v.mnemonic.split(' '))),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 26 }), (words) => {
        try {
          parseMnemonic(words.join(' '));
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError);
          expect((error as IdentityError).code).toBe('INVALID_MNEMONIC');
        }
      }),
    );
  });
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
