/** Whether a chain of delegations allows one invocation, and if not, why (spec/identity.md §8.4). */

import { IdentityError } from '../errors.ts';
import { assertClockSkew, assertTime, DEFAULT_CLOCK_SKEW_MS } from '../fields.ts';
import type { PeerId } from '../peer-id.ts';
import {
  commandCovers,
  type Delegation,
  decodeDelegation,
  isCommand,
  MAX_DELEGATION_LIFETIME_MS,
} from './delegation.ts';
import type { PolicyValue } from './policy.ts';
import { policyAllows } from './policy-evaluation.ts';
import { isRevoked, type KnownRevocations } from './revocation.ts';

/** The longest chain; each link costs a signature check. */
export const MAX_CHAIN_LENGTH = 8;

/** What is to be decided. */
export interface VerifyDelegationInput {
  /** The peer that acts, already authenticated, by its connection for instance. */
  readonly invoker: PeerId;
  /** Whose authority it acts under: in general the peer that verifies. */
  readonly subject: PeerId;
  /** What it wants to do. */
  readonly command: string;
  /**
   * With which arguments.
   * @defaultValue an empty map
   */
  readonly args?: PolicyValue;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /**
   * How far clocks may differ.
   * @defaultValue 60 seconds
   */
  readonly clockSkewMs?: number;
  /**
   * The revocations that are known, all verified.
   * @defaultValue none
   */
  readonly revocations?: KnownRevocations;
}

/**
 * Why a chain does not allow an invocation.
 *
 * - `EMPTY_CHAIN`, `CHAIN_TOO_LONG`: no delegation, or more than 8.
 * - `MALFORMED`: not a delegation, or its signature is wrong.
 * - `WRONG_SUBJECT`: a delegation is about another peer's authority.
 * - `ROOT_NOT_SUBJECT`: the first delegation was not issued by the subject.
 * - `BROKEN_CHAIN`: the issuer is not the audience of the delegation before.
 * - `WRONG_INVOKER`: the last audience is not the invoker.
 * - `NOT_YET_VALID`, `EXPIRED`: at this time.
 * - `VALID_TOO_LONG`: it would expire more than ten years from now.
 * - `REVOKED`: by an issuer at or above it.
 * - `COMMAND_NOT_GRANTED`: the command is not at or below the granted one.
 * - `POLICY_REFUSED`: the arguments do not meet the policy.
 */
export type DelegationRefusal =
  | 'EMPTY_CHAIN'
  | 'CHAIN_TOO_LONG'
  | 'MALFORMED'
  | 'WRONG_SUBJECT'
  | 'ROOT_NOT_SUBJECT'
  | 'BROKEN_CHAIN'
  | 'WRONG_INVOKER'
  | 'NOT_YET_VALID'
  | 'EXPIRED'
  | 'VALID_TOO_LONG'
  | 'REVOKED'
  | 'COMMAND_NOT_GRANTED'
  | 'POLICY_REFUSED';

/** The decision. */
export type DelegationVerdict =
  | {
      readonly ok: true;
      readonly delegations: readonly Delegation[];
      /** When the first delegation of the chain expires, in milliseconds since the epoch. */
      readonly expiresAt: number;
    }
  | {
      readonly ok: false;
      readonly reason: DelegationRefusal;
      /** Which delegation refuses, counted from the root; absent when it is the chain as a whole. */
      readonly index?: number;
    };

/**
 * Decides whether the chain, root first, lets the invoker run the command. A subject needs no delegation for its own
 * authority: an empty chain is refused all the same, so ask only for others.
 *
 * @throws RangeError when the command, a time or the skew is malformed
 */
export function verifyDelegation(
  chain: readonly Uint8Array[],
  input: VerifyDelegationInput,
): DelegationVerdict {
  const { invoker, command, now, clockSkewMs = DEFAULT_CLOCK_SKEW_MS } = input;
  if (!isCommand(command)) throw new RangeError('a command is / or segments such as /storage/read');
  assertTime('now', now);
  assertClockSkew(clockSkewMs);
  if (chain.length === 0) return { ok: false, reason: 'EMPTY_CHAIN' };
  if (chain.length > MAX_CHAIN_LENGTH) return { ok: false, reason: 'CHAIN_TOO_LONG' };
  const delegations: Delegation[] = [];
  for (const [index, bytes] of chain.entries()) {
    const delegation = decode(bytes);
    if (delegation === undefined) return { ok: false, reason: 'MALFORMED', index };
    const reason = refusalOf(delegation, delegations, { ...input, clockSkewMs });
    if (reason !== undefined) return { ok: false, reason, index };
    delegations.push(delegation);
  }
  if (delegations.at(-1)?.audience !== invoker)
    return { ok: false, reason: 'WRONG_INVOKER', index: chain.length - 1 };
  return { ok: true, delegations, expiresAt: Math.min(...delegations.map(({ expiresAt }) => expiresAt)) };
}

function refusalOf(
  delegation: Delegation,
  above: readonly Delegation[],
  input: VerifyDelegationInput & { readonly clockSkewMs: number },
): DelegationRefusal | undefined {
  const { subject, command, args = {}, now, clockSkewMs, revocations = [] } = input;
  const expectedIssuer = above.at(-1)?.audience ?? subject;
  const issuers = [...above.map(({ issuer }) => issuer), delegation.issuer];
  if (delegation.subject !== subject) return 'WRONG_SUBJECT';
  if (delegation.issuer !== expectedIssuer) return above.length === 0 ? 'ROOT_NOT_SUBJECT' : 'BROKEN_CHAIN';
  if (now < (delegation.notBefore ?? 0) - clockSkewMs) return 'NOT_YET_VALID';
  if (now > delegation.expiresAt + clockSkewMs) return 'EXPIRED';
  if (delegation.expiresAt - now > MAX_DELEGATION_LIFETIME_MS + clockSkewMs) return 'VALID_TOO_LONG';
  if (isRevoked(delegation, issuers, revocations)) return 'REVOKED';
  if (!commandCovers(delegation.command, command)) return 'COMMAND_NOT_GRANTED';
  return policyAllows(delegation.policy, args) ? undefined : 'POLICY_REFUSED';
}

function decode(bytes: Uint8Array): Delegation | undefined {
  try {
    return decodeDelegation(bytes);
  } catch (error) {
    if (error instanceof IdentityError) return undefined;
    throw error;
  }
}
