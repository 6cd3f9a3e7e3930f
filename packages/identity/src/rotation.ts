/**
 * A peer that gets a new key, in two ways (spec/identity.md §9):
 *
 * ```text
 * rotation    [1, old key, new key, issued at]                 signed by the old and the new key
 * commitment  [1, key, SHA-256 of the recovery key, issued at] signed by the key, while it is still trusted
 * recovery    [1, old key, new key, recovery key, issued at]   signed by the recovery and the new key
 * ```
 *
 * A recovery outranks a rotation: whoever stole the old key can sign a rotation, but not a recovery.
 */
import { sha256 } from '@nzcore/crypto';
import { concatBytes, sameBytes } from './bytes.ts';
import { IdentityError } from './errors.ts';
import { assertTime, isBytes32, isTime } from './fields.ts';
import { type PeerId, peerIdFromPublicKey, publicKeyFromPeerId } from './peer-id.ts';
import { decodeSigned, encodeSigned, type Signer } from './signed.ts';

const ROTATION_DOMAIN = 'NZ-IDENTITY-01/rotation';
const COMMITMENT_DOMAIN = 'NZ-IDENTITY-01/recovery-commitment';
const RECOVERY_DOMAIN = 'NZ-IDENTITY-01/recovery';
const RECOVERY_KEY_PREFIX = new TextEncoder().encode('NZ-IDENTITY-01/recovery-key\0');
const VERSION = 1;
const MAX_STATEMENT_BYTES = 512;

/** A verified change of key. */
export interface Succession {
  readonly kind: 'rotation' | 'recovery';
  readonly from: PeerId;
  readonly to: PeerId;
  /** Milliseconds since the epoch, as the signers say. */
  readonly issuedAt: number;
}

/** A peer's public promise which key may recover it. */
export interface RecoveryCommitment {
  readonly peerId: PeerId;
  /** 32 bytes; see {@link recoveryCommitmentOf}. */
  readonly commitment: Uint8Array;
  /** Milliseconds since the epoch, as the signer says. */
  readonly issuedAt: number;
}

/** Who signs a rotation. */
export interface SignRotationInput {
  readonly from: Signer;
  readonly to: Signer;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The statement that `from` is now `to`, for those who know `from`. */
export function signRotation({ from, to, now }: SignRotationInput): Uint8Array {
  assertTime('now', now);
  if (sameBytes(from.publicKey, to.publicKey)) throw new RangeError('a rotation needs a new key');
  return encodeSigned(ROTATION_DOMAIN, [VERSION, from.publicKey, to.publicKey, now], from, to);
}

/**
 * Verifies a rotation statement.
 *
 * @throws IdentityError `INVALID_STATEMENT`
 */
export function verifyRotation(bytes: Uint8Array): Succession {
  const signed = decodeSigned(ROTATION_DOMAIN, bytes, {
    maxBytes: MAX_STATEMENT_BYTES,
    signatures: 2,
    signers: ([version, from, to, issuedAt, ...rest]) =>
      version === VERSION && isSuccession(from, to) && isTime(issuedAt) && rest.length === 0
        ? [from as Uint8Array, to as Uint8Array]
        : undefined,
  });
  if (signed === undefined) throw invalidStatement();
  const [, from, to, issuedAt] = signed.fields;
  return succession('rotation', { from, to, issuedAt });
}

/** What a recovery key is committed to by: SHA-256 of a label and the key, 32 bytes. */
export function recoveryCommitmentOf(recoveryPublicKey: Uint8Array): Uint8Array {
  if (!isBytes32(recoveryPublicKey)) throw new TypeError('a recovery key has 32 bytes');
  return sha256(concatBytes(RECOVERY_KEY_PREFIX, recoveryPublicKey));
}

/** The peer's promise that this recovery key may name its successor. Contacts keep the first one they see. */
export function signRecoveryCommitment(
  signer: Signer,
  { recoveryPublicKey, now }: { readonly recoveryPublicKey: Uint8Array; readonly now: number },
): Uint8Array {
  assertTime('now', now);
  const fields = [VERSION, signer.publicKey, recoveryCommitmentOf(recoveryPublicKey), now];
  return encodeSigned(COMMITMENT_DOMAIN, fields, signer);
}

/**
 * Verifies a commitment.
 *
 * @throws IdentityError `INVALID_STATEMENT`
 */
export function verifyRecoveryCommitment(bytes: Uint8Array): RecoveryCommitment {
  const signed = decodeSigned(COMMITMENT_DOMAIN, bytes, {
    maxBytes: MAX_STATEMENT_BYTES,
    signers: ([version, key, commitment, issuedAt, ...rest]) =>
      version === VERSION && isBytes32(key) && isBytes32(commitment) && isTime(issuedAt) && rest.length === 0
        ? [key]
        : undefined,
  });
  if (signed === undefined) throw invalidStatement();
  const [, key, commitment, issuedAt] = signed.fields as [number, Uint8Array, Uint8Array, number];
  return { peerId: peerIdFromPublicKey(key), commitment, issuedAt };
}

/** Who signs a recovery. */
export interface SignRecoveryInput {
  /** The peer that lost its key, or lost control over it. */
  readonly from: PeerId;
  readonly to: Signer;
  readonly recoveryKey: Signer;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The statement of the recovery key that `from` is now `to`. */
export function signRecovery({ from, to, recoveryKey, now }: SignRecoveryInput): Uint8Array {
  assertTime('now', now);
  const lost = publicKeyFromPeerId(from);
  if (sameBytes(lost, to.publicKey)) throw new RangeError('a recovery needs a new key');
  const fields = [VERSION, lost, to.publicKey, recoveryKey.publicKey, now];
  return encodeSigned(RECOVERY_DOMAIN, fields, recoveryKey, to);
}

/**
 * Verifies a recovery of a peer against the commitment that this peer made while it was trusted. Both are asked for, as
 * everybody can promise a recovery key: one that recovers its owner must not recover somebody else.
 *
 * @throws IdentityError `INVALID_STATEMENT`, also when it is about another peer, or another key than the promised one
 * signed
 */
export function verifyRecovery(
  bytes: Uint8Array,
  { peerId, commitment }: Pick<RecoveryCommitment, 'peerId' | 'commitment'>,
): Succession {
  const peer = publicKeyFromPeerId(peerId);
  const signed = decodeSigned(RECOVERY_DOMAIN, bytes, {
    maxBytes: MAX_STATEMENT_BYTES,
    signatures: 2,
    signers: ([version, from, to, recoveryKey, issuedAt, ...rest]) =>
      version === VERSION &&
      isSuccession(from, to) &&
      sameBytes(from as Uint8Array, peer) &&
      isBytes32(recoveryKey) &&
      sameBytes(recoveryCommitmentOf(recoveryKey), commitment) &&
      isTime(issuedAt) &&
      rest.length === 0
        ? [recoveryKey, to as Uint8Array]
        : undefined,
  });
  if (signed === undefined) throw invalidStatement();
  const [, from, to, , issuedAt] = signed.fields;
  return succession('recovery', { from, to, issuedAt });
}

/** Who a peer is now, or why that cannot be said. */
export type SuccessionVerdict =
  | { readonly ok: true; readonly peerId: PeerId; readonly trail: readonly Succession[] }
  | {
      readonly ok: false;
      /** `CONFLICT`: two successors of equal rank. `CYCLE`: a successor that came before. */
      readonly reason: 'CONFLICT' | 'CYCLE';
      /** Where the trail ends. */
      readonly at: PeerId;
    };

/**
 * Follows verified successions from a peer to whom it is now. At each step a recovery outranks a rotation; two
 * different successors of the same rank are a conflict that a person has to decide.
 */
export function followSuccessions(start: PeerId, successions: readonly Succession[]): SuccessionVerdict {
  const byOrigin = new Map<PeerId, Succession[]>();
  for (const next of successions) {
    const known = byOrigin.get(next.from);
    if (known === undefined) byOrigin.set(next.from, [next]);
    else known.push(next);
  }
  const trail: Succession[] = [];
  const seen = new Set<PeerId>([start]);
  let at = start;
  for (;;) {
    const candidates = byOrigin.get(at) ?? [];
    const recoveries = candidates.filter(({ kind }) => kind === 'recovery');
    const ranked = recoveries.length > 0 ? recoveries : candidates;
    const next = ranked[0];
    if (next === undefined) return { ok: true, peerId: at, trail };
    if (ranked.some(({ to }) => to !== next.to)) return { ok: false, reason: 'CONFLICT', at };
    if (seen.has(next.to)) return { ok: false, reason: 'CYCLE', at };
    trail.push(next);
    seen.add(next.to);
    at = next.to;
  }
}

function isSuccession(from: unknown, to: unknown): boolean {
  return isBytes32(from) && isBytes32(to) && !sameBytes(from, to);
}

function succession(
  kind: Succession['kind'],
  { from, to, issuedAt }: { readonly from: unknown; readonly to: unknown; readonly issuedAt: unknown },
): Succession {
  return {
    kind,
    from: peerIdFromPublicKey(from as Uint8Array),
    to: peerIdFromPublicKey(to as Uint8Array),
    issuedAt: issuedAt as number,
  };
}

function invalidStatement(): IdentityError {
  return new IdentityError(
    'INVALID_STATEMENT',
    'not a valid statement of this kind, or a signature is wrong',
  );
}
