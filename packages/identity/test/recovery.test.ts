import { readFileSync } from 'node:fs';
import { ready } from '@nzcore/crypto';
import fc from 'fast-check';
import slip39Helper from 'slip39/src/slip39_helper.js';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createMnemonic,
  type Identity,
  IdentityError,
  identityFromSeed,
  mnemonicToEntropy,
} from '../src/index.ts';
import {
  describeShare,
  followSuccessions,
  joinShares,
  type RecoveryKey,
  recoveryCommitmentOf,
  recoveryKeyFromMnemonic,
  type Succession,
  signRecovery,
  signRecoveryCommitment,
  signRotation,
  splitMnemonic,
  verifyRecovery,
  verifyRecoveryCommitment,
  verifyRotation,
} from '../src/recovery.ts';
import { exportSlip39, importSlip39 } from '../src/slip39.ts';

const NOW = 1_800_000_000_000;
const WORDS = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
const code = (value: string) => expect.objectContaining({ code: value });

let oldKey: Identity;
let newKey: Identity;
let thief: Identity;
let recoveryKey: RecoveryKey;

beforeAll(async () => {
  await ready();
  [oldKey, newKey, thief] = [1, 2, 3].map((n) => identityFromSeed(new Uint8Array(32).fill(n))) as [
    Identity,
    Identity,
    Identity,
  ];
  recoveryKey = await recoveryKeyFromMnemonic(WORDS);
});

describe('shares of words', () => {
  it('bring the words back from any m of n, for every length of words', async () => {
    for (const words of [12, 15, 18, 21, 24] as const) {
      const mnemonic = createMnemonic({ words });
      const shares = await splitMnemonic(mnemonic, { threshold: 3, shares: 5 });
      expect(shares).toHaveLength(5);
      for (const chosen of [
        [0, 1, 2],
        [4, 2, 0],
        [1, 3, 4],
        [0, 1, 2, 3],
        [0, 1, 2, 3, 4],
      ]) {
        expect(await joinShares(chosen.map((i) => shares[i]!))).toBe(mnemonic);
      }
    }
  });

  it('say which set they belong to and how many are needed', async () => {
    const shares = await splitMnemonic(WORDS, { threshold: 2, shares: 3 });
    const [first, second] = shares.map(describeShare);
    expect(first).toEqual({ set: expect.stringMatching(/^[0-9a-f]{8}$/), threshold: 2 });
    expect(second).toEqual(first);
  });

  it('are refused when they are too few, repeated, of another set, or none', async () => {
    const shares = await splitMnemonic(WORDS, { threshold: 3, shares: 5 });
    const others = await splitMnemonic(WORDS, { threshold: 3, shares: 5 });
    const wrong = [
      [],
      shares.slice(0, 1),
      shares.slice(0, 2),
      [shares[0]!, shares[1]!, shares[1]!],
      [shares[0]!, shares[1]!, others[2]!],
    ];
    for (const chosen of wrong) await expect(joinShares(chosen)).rejects.toThrow(code('WRONG_SHARES'));
  });

  it('are refused when one was forged, which plain Shamir would not notice', async () => {
    const { base58btc } = await import('multiformats/bases/base58');
    const { sha256 } = await import('@nzcore/crypto');
    const shares = await splitMnemonic(WORDS, { threshold: 2, shares: 2 });
    const forged = base58btc.decode(shares[1]!);
    forged[8]! ^= 1;
    const body = forged.subarray(0, -4);
    forged.set(
      sha256(Buffer.concat([Buffer.from('NZ-IDENTITY-01/share-checksum\0'), body])).subarray(0, 4),
      body.length,
    );
    const text = base58btc.encode(forged);
    expect(describeShare(text)).toEqual(describeShare(shares[0]!));
    await expect(joinShares([shares[0]!, text])).rejects.toThrow(code('WRONG_SHARES'));
  });

  it('show any single typing error', async () => {
    const [share] = await splitMnemonic(WORDS, { threshold: 2, shares: 2 });
    const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
    fc.assert(
      fc.property(fc.nat({ max: share!.length - 1 }), fc.nat({ max: 57 }), (at, letter) => {
        fc.pre(share![at] !== alphabet[letter]);
        const typed = share!.slice(0, at) + alphabet[letter] + share!.slice(at + 1);
        expect(() => describeShare(typed)).toThrow(code('INVALID_SHARE'));
      }),
    );
  });

  it('throw INVALID_SHARE and nothing else for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 300 }), fc.stringMatching(/^z[1-9A-HJ-NP-Za-km-z]{50,90}$/)),
        (text) => {
          try {
            describeShare(text);
          } catch (error) {
            expect(error).toBeInstanceOf(IdentityError);
            expect((error as IdentityError).code).toBe('INVALID_SHARE');
          }
        },
      ),
    );
  });

  it('are 2 to 255, of valid words', async () => {
    for (const [threshold, shares] of [
      [1, 2],
      [0, 0],
      [3, 2],
      [2, 256],
      [2.5, 3],
    ] as const) {
      await expect(splitMnemonic(WORDS, { threshold, shares })).rejects.toThrow(RangeError);
    }
    await expect(splitMnemonic('no words', { threshold: 2, shares: 2 })).rejects.toThrow(
      code('INVALID_MNEMONIC'),
    );
    expect(await splitMnemonic(WORDS, { threshold: 255, shares: 255 })).toHaveLength(255);
  });
});

interface Slip39Vector {
  description: string;
  mnemonics: string[];
  secret: string;
}

describe('SLIP-39', () => {
  const { vectors } = JSON.parse(readFileSync(new URL('./vectors/slip39.json', import.meta.url), 'utf8')) as {
    vectors: Slip39Vector[];
  };

  it.each(vectors.map((vector) => [vector.description, vector] as const))(
    'passes the official vector %s',
    (_, vector) => {
      if (vector.secret === '') {
        expect(() => importSlip39(vector.mnemonics, { passphrase: 'TREZOR' })).toThrow(IdentityError);
      } else {
        const words = importSlip39(vector.mnemonics, { passphrase: 'TREZOR' });
        expect(Buffer.from(mnemonicToEntropy(words)).toString('hex')).toBe(vector.secret);
      }
    },
  );

  it('brings BIP-39 words back from m of n', () => {
    for (const words of [12, 24] as const) {
      const mnemonic = createMnemonic({ words });
      const shares = exportSlip39(mnemonic, { threshold: 2, shares: 3 });
      expect(shares).toHaveLength(3);
      expect(shares[0]!.split(' ')).toHaveLength(words === 12 ? 20 : 33);
      expect(importSlip39([shares[2]!, ` ${shares[0]!.toUpperCase()}\n`])).toBe(mnemonic);
      expect(() => importSlip39([shares[0]!])).toThrow(code('WRONG_SHARES'));
      expect(() => importSlip39([shares[0]!, shares[0]!])).toThrow(code('WRONG_SHARES'));
      const other = exportSlip39(mnemonic, { threshold: 2, shares: 3 });
      expect(() => importSlip39([shares[0]!, other[1]!])).toThrow(code('WRONG_SHARES'));
      expect(() => importSlip39([shares[0]!.replace(/\w+$/, 'academic'), shares[1]!])).toThrow(
        code('INVALID_SHARE'),
      );
    }
  });

  it('refuses a share that asks for minutes of work', () => {
    const [share] = exportSlip39(WORDS, { threshold: 2, shares: 2 });
    const start = performance.now();
    const words = share!.split(' ');
    // Every second word, so every iteration exponent and group.
    for (const second of slip39Helper.WORD_LIST) {
      words[1] = second;
      expect(() => importSlip39([words.join(' ')])).toThrow(IdentityError);
    }
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('refuses what is out of range and any text that is no share', () => {
    expect(() => exportSlip39(WORDS, { threshold: 1, shares: 2 })).toThrow(RangeError);
    expect(() => exportSlip39(WORDS, { threshold: 2, shares: 17 })).toThrow(RangeError);
    expect(() => exportSlip39(WORDS, { threshold: 2, shares: 2, passphrase: 'é' })).toThrow(RangeError);
    expect(() => importSlip39([])).toThrow(code('WRONG_SHARES'));
    // Counted before any of them is read.
    expect(() => importSlip39(Array(17).fill('no share'))).toThrow(code('WRONG_SHARES'));
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...slip39Helper.WORD_LIST), { maxLength: 40 }), (words) => {
        expect(() => importSlip39([words.join(' ')])).toThrow(code('INVALID_SHARE'));
      }),
    );
    expect(() => importSlip39(['academic '.repeat(1000)])).toThrow(code('INVALID_SHARE'));
  });
});

describe('key rotation', () => {
  it('is signed by the old and the new key', () => {
    const statement = signRotation({ from: oldKey, to: newKey, now: NOW });
    expect(verifyRotation(statement)).toEqual({
      kind: 'rotation',
      from: oldKey.peerId,
      to: newKey.peerId,
      issuedAt: NOW,
    });
    expect(() => signRotation({ from: oldKey, to: oldKey, now: NOW })).toThrow(RangeError);
    expect(() => signRotation({ from: oldKey, to: newKey, now: 0.5 })).toThrow(RangeError);
  });

  it('is refused when either did not sign it, or any bit was flipped', () => {
    // A thief who signs for both: one of the signatures is not that of the key it names.
    const withoutOld = signRotation({
      from: { ...signer(thief), publicKey: oldKey.publicKey },
      to: thief,
      now: NOW,
    });
    const withoutNew = signRotation({
      from: thief,
      to: { ...signer(thief), publicKey: newKey.publicKey },
      now: NOW,
    });
    expect(() => verifyRotation(withoutOld)).toThrow(code('INVALID_STATEMENT'));
    expect(() => verifyRotation(withoutNew)).toThrow(code('INVALID_STATEMENT'));
    const statement = signRotation({ from: oldKey, to: newKey, now: NOW });
    fc.assert(
      fc.property(fc.nat({ max: statement.length * 8 - 1 }), (bit) => {
        const flipped = statement.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => verifyRotation(flipped)).toThrow(code('INVALID_STATEMENT'));
      }),
    );
  });
});

describe('recovery by a key that was promised', () => {
  it('names the successor of a peer whose key was lost', () => {
    const promise = signRecoveryCommitment(oldKey, { recoveryPublicKey: recoveryKey.publicKey, now: NOW });
    const { peerId, commitment, issuedAt } = verifyRecoveryCommitment(promise);
    expect([peerId, issuedAt]).toEqual([oldKey.peerId, NOW]);
    expect(commitment).toEqual(recoveryKey.commitment);
    const statement = signRecovery({ from: oldKey.peerId, to: newKey, recoveryKey, now: NOW });
    expect(verifyRecovery(statement, { peerId, commitment })).toEqual({
      kind: 'recovery',
      from: oldKey.peerId,
      to: newKey.peerId,
      issuedAt: NOW,
    });
  });

  it('does not show the recovery key before it is used', () => {
    expect(recoveryKey.commitment).not.toEqual(recoveryKey.publicKey);
    expect(recoveryKey.commitment).toEqual(recoveryCommitmentOf(recoveryKey.publicKey));
    expect(() => recoveryCommitmentOf(new Uint8Array(31))).toThrow(TypeError);
  });

  it('is refused from any other key, for any other commitment, and for flipped bits', async () => {
    const other = await recoveryKeyFromMnemonic(WORDS, { passphrase: 'other' });
    const { commitment } = recoveryKey;
    const { peerId } = oldKey;
    const byOther = signRecovery({ from: oldKey.peerId, to: thief, recoveryKey: other, now: NOW });
    const byThief = signRecovery({
      from: oldKey.peerId,
      to: thief,
      recoveryKey: { ...signer(thief), publicKey: recoveryKey.publicKey },
      now: NOW,
    });
    const good = signRecovery({ from: oldKey.peerId, to: newKey, recoveryKey, now: NOW });
    expect(() => verifyRecovery(byOther, { peerId, commitment })).toThrow(code('INVALID_STATEMENT'));
    expect(() => verifyRecovery(byThief, { peerId, commitment })).toThrow(code('INVALID_STATEMENT'));
    expect(() => verifyRecovery(good, { peerId, commitment: other.commitment })).toThrow(
      code('INVALID_STATEMENT'),
    );
    expect(() => verifyRotation(good)).toThrow(code('INVALID_STATEMENT'));
    expect(() => verifyRecoveryCommitment(good)).toThrow(code('INVALID_STATEMENT'));
    fc.assert(
      fc.property(fc.nat({ max: good.length * 8 - 1 }), (bit) => {
        const flipped = good.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => verifyRecovery(flipped, { peerId, commitment })).toThrow(code('INVALID_STATEMENT'));
      }),
    );
    other[Symbol.dispose]();
    expect(() => other.sign('app/v1', Uint8Array.of(1))).toThrow(code('DISPOSED'));
  });

  it('is refused for a peer who never promised that key: a contact’s own promise recovers nobody else', () => {
    const promise = signRecoveryCommitment(thief, { recoveryPublicKey: recoveryKey.publicKey, now: NOW });
    const known = verifyRecoveryCommitment(promise);
    const takeover = signRecovery({ from: oldKey.peerId, to: newKey, recoveryKey, now: NOW });
    expect(() => verifyRecovery(takeover, known)).toThrow(code('INVALID_STATEMENT'));
    const own = signRecovery({ from: thief.peerId, to: newKey, recoveryKey, now: NOW });
    expect(verifyRecovery(own, known)).toMatchObject({ from: thief.peerId, to: newKey.peerId });
    expect(() => signRecovery({ from: newKey.peerId, to: newKey, recoveryKey, now: NOW })).toThrow(
      RangeError,
    );
  });

  it('throws INVALID_STATEMENT and nothing else for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        for (const verifyIt of [verifyRotation, verifyRecoveryCommitment]) {
          expect(() => verifyIt(bytes)).toThrow(code('INVALID_STATEMENT'));
        }
        const { peerId } = oldKey;
        expect(() => verifyRecovery(bytes, { ...recoveryKey, peerId })).toThrow(code('INVALID_STATEMENT'));
      }),
    );
  });
});

describe('successions', () => {
  const rotation = (from: Identity, to: Identity): Succession => ({
    kind: 'rotation',
    from: from.peerId,
    to: to.peerId,
    issuedAt: NOW,
  });
  const recovery = (from: Identity, to: Identity): Succession => ({
    ...rotation(from, to),
    kind: 'recovery',
  });

  it('are followed to whom a peer is now', () => {
    const trail = [rotation(oldKey, newKey), rotation(newKey, thief)];
    expect(followSuccessions(oldKey.peerId, trail.toReversed())).toEqual({
      ok: true,
      peerId: thief.peerId,
      trail,
    });
    expect(followSuccessions(oldKey.peerId, [])).toEqual({ ok: true, peerId: oldKey.peerId, trail: [] });
  });

  it('are decided by the recovery key when the thief of the old key rotated it', () => {
    const verdict = followSuccessions(oldKey.peerId, [rotation(oldKey, thief), recovery(oldKey, newKey)]);
    expect(verdict).toMatchObject({ ok: true, peerId: newKey.peerId });
  });

  it('are a conflict when two of one rank disagree, and an error when they run in a circle', () => {
    expect(followSuccessions(oldKey.peerId, [rotation(oldKey, thief), rotation(oldKey, newKey)])).toEqual({
      ok: false,
      reason: 'CONFLICT',
      at: oldKey.peerId,
    });
    expect(followSuccessions(oldKey.peerId, [rotation(oldKey, newKey), rotation(newKey, oldKey)])).toEqual({
      ok: false,
      reason: 'CYCLE',
      at: newKey.peerId,
    });
    const twice = [rotation(oldKey, newKey), rotation(oldKey, newKey)];
    expect(followSuccessions(oldKey.peerId, twice)).toMatchObject({ ok: true, peerId: newKey.peerId });
  });
});

function signer(identity: Identity) {
  return { publicKey: identity.publicKey, sign: identity.sign.bind(identity) };
}
