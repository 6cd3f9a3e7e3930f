import { ready } from '@nzcore/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createIdentity, identityFromSeed, safetyNumber } from '../src/index.ts';

beforeAll(ready);

describe('safety number', () => {
  it('is 12 groups of 5 digits, the same for both', () => {
    using alice = createIdentity();
    using bob = createIdentity();
    const number = safetyNumber(alice.peerId, bob.peerId);
    expect(number).toMatch(/^(\d{5} ){11}\d{5}$/);
    expect(safetyNumber(bob.peerId, alice.peerId)).toBe(number);
  });

  it('is another for every pair', () => {
    using alice = identityFromSeed(new Uint8Array(32).fill(1));
    using bob = identityFromSeed(new Uint8Array(32).fill(2));
    using mallory = identityFromSeed(new Uint8Array(32).fill(3));
    const expected = safetyNumber(alice.peerId, bob.peerId);
    const withMallory = safetyNumber(alice.peerId, mallory.peerId);
    expect(withMallory).not.toBe(expected);
    expect(safetyNumber(mallory.peerId, bob.peerId)).not.toBe(expected);
    // Alice's half is the same in both.
    const common = expected.split(' ').filter((group) => withMallory.includes(group));
    expect(common.length).toBeGreaterThanOrEqual(6);
  });
});
