import { ready } from '@nzcore/crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  commandCovers,
  type DelegateOptions,
  type DelegationRefusal,
  decodeDelegation,
  decodeRevocation,
  delegate,
  type Policy,
  type PolicyStatement,
  type PolicyValue,
  revoke,
  type VerifyDelegationInput,
  verifyDelegation,
} from '../src/delegation.ts';
import { type Identity, IdentityError, identityFromSeed } from '../src/index.ts';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TEN_YEARS = 3_653 * 24 * HOUR;

let alice: Identity;
let laptop: Identity;
let service: Identity;
let mallory: Identity;

beforeAll(async () => {
  await ready();
  [alice, laptop, service, mallory] = [1, 2, 3, 4].map((n) =>
    identityFromSeed(new Uint8Array(32).fill(n)),
  ) as [Identity, Identity, Identity, Identity];
});

const grant = (from: Identity, to: Identity, options: Partial<DelegateOptions> = {}) =>
  delegate(from, {
    audience: to.peerId,
    subject: alice.peerId,
    command: '/storage',
    expiresAt: NOW + HOUR,
    ...options,
  });

const decide = (chain: readonly Uint8Array[], input: Partial<VerifyDelegationInput> = {}) =>
  verifyDelegation(chain, {
    invoker: service.peerId,
    subject: alice.peerId,
    command: '/storage/read',
    now: NOW,
    ...input,
  });

const refusal = (chain: readonly Uint8Array[], input?: Partial<VerifyDelegationInput>) => {
  const verdict = decide(chain, input);
  return verdict.ok ? 'ok' : verdict.reason;
};

describe('delegation', () => {
  it('says what its issuer granted', () => {
    const policy: Policy = [['like', '.path', '/photos/*']];
    const bytes = grant(alice, laptop, {
      policy,
      notBefore: NOW,
      meta: { device: 'laptop' },
      nonce: new Uint8Array(16),
    });
    expect(decodeDelegation(bytes)).toEqual({
      id: expect.any(Uint8Array),
      issuer: alice.peerId,
      audience: laptop.peerId,
      subject: alice.peerId,
      command: '/storage',
      policy,
      nonce: new Uint8Array(16),
      notBefore: NOW,
      expiresAt: NOW + HOUR,
      meta: { device: 'laptop' },
    });
  });

  it('is about its issuer unless it names another subject, and is unique by its nonce', () => {
    const options = { audience: laptop.peerId, command: '/', expiresAt: NOW };
    const first = decodeDelegation(delegate(alice, options));
    const second = decodeDelegation(delegate(alice, options));
    expect(first.subject).toBe(alice.peerId);
    expect(first.id).not.toEqual(second.id);
  });

  it('takes commands, times, policies and sizes in their form only', () => {
    const wrong: Partial<DelegateOptions>[] = [
      { command: '' },
      { command: 'storage' },
      { command: '/storage/' },
      { command: '//' },
      { command: '/Storage' },
      { command: `/${'x'.repeat(128)}` },
      { expiresAt: 1.5 },
      { expiresAt: -1 },
      { notBefore: NOW + HOUR },
      { nonce: new Uint8Array(15) },
      { policy: [['==', 'no dot', 1]] },
      { meta: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, i])) },
      { meta: { big: 'x'.repeat(8192) } },
    ];
    for (const options of wrong)
      expect(() => grant(alice, laptop, options), JSON.stringify(options)).toThrow(RangeError);
  });

  it('can be as deep as a policy may be, and no deeper', () => {
    const nested = (levels: number): PolicyStatement =>
      levels === 0 ? ['==', '.a', [1]] : ['and', [nested(levels - 1)]];
    expect(decodeDelegation(grant(alice, laptop, { policy: [nested(5)] })).policy).toEqual([nested(5)]);
    expect(() => grant(alice, laptop, { policy: [nested(6)] })).toThrow(RangeError);
    const deep = JSON.parse(`${'['.repeat(24)}${']'.repeat(24)}`) as PolicyValue;
    expect(() => grant(alice, laptop, { meta: { deep } })).toThrow(TypeError);
  });

  it('is refused when any bit was flipped, with one code', () => {
    const bytes = grant(alice, laptop, { policy: [['==', '.a', 1]] });
    fc.assert(
      fc.property(fc.nat({ max: bytes.length * 8 - 1 }), (bit) => {
        const flipped = bytes.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => decodeDelegation(flipped)).toThrow(
          expect.objectContaining({ code: 'INVALID_DELEGATION' }),
        );
        expect(refusal([flipped])).toBe('MALFORMED');
      }),
    );
  });

  it('throws INVALID_DELEGATION or INVALID_REVOCATION and nothing else for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(codeOf(() => decodeDelegation(bytes))).toBe('INVALID_DELEGATION');
        expect(codeOf(() => decodeRevocation(bytes))).toBe('INVALID_REVOCATION');
      }),
    );
  });

  it('covers its command and those below it', () => {
    expect(commandCovers('/', '/anything/at/all')).toBe(true);
    expect(commandCovers('/storage', '/storage')).toBe(true);
    expect(commandCovers('/storage', '/storage/read')).toBe(true);
    expect(commandCovers('/storage', '/storages')).toBe(false);
    expect(commandCovers('/storage/read', '/storage')).toBe(false);
  });
});

describe('a chain of delegations', () => {
  it('lets its last audience act under the subject’s authority', () => {
    const verdict = decide([grant(alice, laptop), grant(laptop, service, { expiresAt: NOW + MINUTE })]);
    expect(verdict).toMatchObject({ ok: true, expiresAt: NOW + MINUTE });
    expect(decide([grant(alice, service)])).toMatchObject({ ok: true, expiresAt: NOW + HOUR });
  });

  it('only narrows: every policy of it must hold, every command must cover', () => {
    const chain = [
      grant(alice, laptop, { policy: [['like', '.path', '/photos/*']] }),
      grant(laptop, service, { command: '/storage/read', policy: [['<', '.size', 100]] }),
    ];
    expect(refusal(chain, { args: { path: '/photos/1', size: 10 } })).toBe('ok');
    expect(refusal(chain, { args: { path: '/diary', size: 10 } })).toBe('POLICY_REFUSED');
    expect(refusal(chain, { args: { path: '/photos/1', size: 100 } })).toBe('POLICY_REFUSED');
    expect(refusal(chain)).toBe('POLICY_REFUSED');
    expect(refusal(chain, { command: '/storage/write', args: { path: '/photos/1', size: 1 } })).toBe(
      'COMMAND_NOT_GRANTED',
    );
    // A child that claims more than its parent has gains nothing.
    const wider = [
      grant(alice, laptop, { command: '/storage/read' }),
      grant(laptop, service, { command: '/' }),
    ];
    expect(refusal(wider, { command: '/storage/write' })).toBe('COMMAND_NOT_GRANTED');
    expect(refusal(wider)).toBe('ok');
  });

  it.each<[DelegationRefusal, () => readonly Uint8Array[], Partial<VerifyDelegationInput>?]>([
    ['EMPTY_CHAIN', () => []],
    ['CHAIN_TOO_LONG', () => Array.from({ length: 9 }, () => grant(alice, service))],
    ['MALFORMED', () => [new Uint8Array(10)]],
    ['WRONG_SUBJECT', () => [grant(mallory, service, { subject: mallory.peerId })]],
    ['WRONG_SUBJECT', () => [grant(alice, laptop), grant(laptop, service, { subject: laptop.peerId })]],
    ['ROOT_NOT_SUBJECT', () => [grant(mallory, service)]],
    ['ROOT_NOT_SUBJECT', () => [grant(laptop, service)]],
    ['BROKEN_CHAIN', () => [grant(alice, laptop), grant(mallory, service)]],
    ['BROKEN_CHAIN', () => [grant(alice, laptop), grant(alice, service)]],
    ['WRONG_INVOKER', () => [grant(alice, laptop)]],
    ['WRONG_INVOKER', () => [grant(alice, service), grant(service, mallory)]],
    ['NOT_YET_VALID', () => [grant(alice, service, { notBefore: NOW + MINUTE + 1 })]],
    ['EXPIRED', () => [grant(alice, service, { expiresAt: NOW - MINUTE - 1 })]],
    ['EXPIRED', () => [grant(alice, laptop, { expiresAt: NOW - HOUR }), grant(laptop, service)]],
    ['VALID_TOO_LONG', () => [grant(alice, service, { expiresAt: NOW + TEN_YEARS + MINUTE + 1 })]],
    ['VALID_TOO_LONG', () => [grant(alice, service, { expiresAt: Number.MAX_SAFE_INTEGER })]],
    ['COMMAND_NOT_GRANTED', () => [grant(alice, service, { command: '/messages' })]],
  ])('is refused with %s', (reason, chain, input) => {
    expect(refusal(chain(), input)).toBe(reason);
  });

  it('may be valid for ten years from now, and not for longer from its beginning', () => {
    expect(decide([grant(alice, service, { expiresAt: NOW + TEN_YEARS })])).toMatchObject({ ok: true });
    const options = { notBefore: NOW, expiresAt: NOW + TEN_YEARS + 1 };
    expect(() => grant(alice, service, options)).toThrow(RangeError);
  });

  it('says which delegation refused', () => {
    expect(decide([grant(alice, laptop), grant(mallory, service)])).toEqual({
      ok: false,
      reason: 'BROKEN_CHAIN',
      index: 1,
    });
  });

  it('is valid within a minute of clocks that differ, and no longer', () => {
    const chain = [grant(alice, service, { notBefore: NOW, expiresAt: NOW + HOUR })];
    expect(refusal(chain, { now: NOW - MINUTE })).toBe('ok');
    expect(refusal(chain, { now: NOW - MINUTE - 1 })).toBe('NOT_YET_VALID');
    expect(refusal(chain, { now: NOW + HOUR + MINUTE })).toBe('ok');
    expect(refusal(chain, { now: NOW + HOUR + MINUTE + 1 })).toBe('EXPIRED');
    expect(refusal(chain, { now: NOW + HOUR + 1, clockSkewMs: 0 })).toBe('EXPIRED');
  });

  it('throws for misuse: a malformed command, time or skew of the verifier', () => {
    const chain = [grant(alice, service)];
    expect(() => decide(chain, { command: 'read' })).toThrow(RangeError);
    expect(() => decide(chain, { now: Number.NaN })).toThrow(RangeError);
    expect(() => decide(chain, { clockSkewMs: Number.POSITIVE_INFINITY })).toThrow(RangeError);
  });

  it('can be eight long', () => {
    const peers = [
      alice,
      ...[11, 12, 13, 14, 15, 16, 17].map((n) => identityFromSeed(new Uint8Array(32).fill(n))),
      service,
    ];
    const chain = peers.slice(1).map((peer, i) => grant(peers[i]!, peer));
    expect(chain).toHaveLength(8);
    expect(refusal(chain)).toBe('ok');
  });
});

describe('revocation', () => {
  const revocationBy = (issuer: Identity, delegation: Uint8Array) =>
    decodeRevocation(revoke(issuer, { delegation: decodeDelegation(delegation).id, now: NOW }));

  it('by the issuer of a delegation, or of one above it, ends the chain', () => {
    const chain = [grant(alice, laptop), grant(laptop, service)];
    expect(refusal(chain, { revocations: [revocationBy(laptop, chain[1]!)] })).toBe('REVOKED');
    expect(refusal(chain, { revocations: [revocationBy(alice, chain[1]!)] })).toBe('REVOKED');
    expect(refusal(chain, { revocations: [revocationBy(alice, chain[0]!)] })).toBe('REVOKED');
  });

  it('by anybody else, or of another delegation, does nothing', () => {
    const chain = [grant(alice, laptop), grant(laptop, service)];
    expect(refusal(chain, { revocations: [revocationBy(mallory, chain[0]!)] })).toBe('ok');
    expect(refusal(chain, { revocations: [revocationBy(service, chain[1]!)] })).toBe('ok');
    expect(refusal(chain, { revocations: [revocationBy(laptop, chain[0]!)] })).toBe('ok');
    expect(refusal(chain, { revocations: [revocationBy(alice, grant(alice, laptop))] })).toBe('ok');
  });

  it('may be searched for by the delegation’s id', () => {
    const chain = [grant(alice, laptop), grant(laptop, service)];
    const known = new Map([
      [Buffer.from(decodeDelegation(chain[1]!).id).toString('hex'), revocationBy(alice, chain[1]!)],
    ]);
    const revocations = (id: Uint8Array) =>
      [known.get(Buffer.from(id).toString('hex'))].filter((found) => found !== undefined);
    expect(refusal(chain, { revocations })).toBe('REVOKED');
  });

  it('holds for the delegation however it was signed', () => {
    // The id is of what was signed: another signature over the same grant is the same delegation.
    const nonce = new Uint8Array(16).fill(5);
    const [first, second] = [grant(alice, service, { nonce }), grant(alice, service, { nonce })];
    expect(decodeDelegation(first).id).toEqual(decodeDelegation(second).id);
    expect(refusal([second], { revocations: [revocationBy(alice, first)] })).toBe('REVOKED');
  });

  it('needs the id of a delegation and a time', () => {
    expect(() => revoke(alice, { delegation: new Uint8Array(31), now: NOW })).toThrow(TypeError);
    expect(() => revoke(alice, { delegation: new Uint8Array(32), now: -1 })).toThrow(RangeError);
  });
});

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof IdentityError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}
