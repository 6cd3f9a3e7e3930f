/**
 * Delegations in the terms of UCAN 1.0: an issuer grants an audience a command over a subject, under a policy, until
 * it expires (spec/identity.md §8; departures from UCAN are listed there).
 *
 * ```text
 * [1, issuer (32), audience (32), subject (32), command, policy, nonce (16), not before | nil, expires at, meta]
 * ```
 */
import { randomBytes, sha256 } from '@nzcore/crypto';
import { signedBytes } from '../domain.ts';
import { IdentityError } from '../errors.ts';
import { isBytes32, isTime } from '../fields.ts';
import { type PeerId, peerIdFromPublicKey, publicKeyFromPeerId } from '../peer-id.ts';
import { decodeSigned, encodeSigned, type SignedStructure, type Signer } from '../signed.ts';
import { isPolicy, type Policy, type PolicyValue } from './policy.ts';

/** The longest delegation in bytes. */
export const MAX_DELEGATION_LENGTH = 8192;

/**
 * Ten years, in milliseconds: a verifier refuses what is valid for longer than this from now, so that no grant is for ever
 * and no revocation has to be.
 */
export const MAX_DELEGATION_LIFETIME_MS: number = 3_653 * 24 * 60 * 60 * 1000;

const DOMAIN = 'NZ-IDENTITY-01/delegation';
const VERSION = 1;
const MAX_DEPTH = 16;
const NONCE_LENGTH = 16;
const MAX_META_KEYS = 16;
// `/` alone, or segments of lower-case letters, digits, `_` and `-`, at most 128 characters.
const COMMAND_PATTERN = /^(?=.{1,128}$)(?:\/|(?:\/[a-z0-9_-]+)+)$/;

/** A delegation whose signature is valid; whether it grants anything is for the chain to say. */
export interface Delegation {
  /** SHA-256 of what was signed, 32 bytes: the name by which it is revoked. */
  readonly id: Uint8Array;
  /** Who grants. */
  readonly issuer: PeerId;
  /** To whom. */
  readonly audience: PeerId;
  /** Whose authority it is: the issuer of the first delegation of a chain. */
  readonly subject: PeerId;
  /** What may be done: this command and all below it; `/` is everything. */
  readonly command: string;
  /** With which arguments. */
  readonly policy: Policy;
  /** 16 bytes that make two equal grants two delegations. */
  readonly nonce: Uint8Array;
  /** Milliseconds since the epoch; absent: from the beginning. */
  readonly notBefore?: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Signed facts that grant nothing, such as a device's name. */
  readonly meta: Readonly<Record<string, PolicyValue>>;
}

/** What a delegation grants. */
export interface DelegateOptions {
  readonly audience: PeerId;
  /**
   * Whose authority is passed on.
   * @defaultValue the issuer
   */
  readonly subject?: PeerId;
  /** Such as `/storage/read`; `/` grants everything. */
  readonly command: string;
  /**
   * Conditions on the arguments.
   * @defaultValue none
   */
  readonly policy?: Policy;
  /** Milliseconds since the epoch, at most {@link MAX_DELEGATION_LIFETIME_MS} from when it is used. */
  readonly expiresAt: number;
  /** Milliseconds since the epoch. */
  readonly notBefore?: number;
  /** At most 16 entries. */
  readonly meta?: Readonly<Record<string, PolicyValue>>;
  /**
   * 16 bytes.
   * @defaultValue random
   */
  readonly nonce?: Uint8Array;
}

/**
 * A signed delegation.
 *
 * @throws RangeError when a field is malformed or all of them together make it longer than 8 KiB; TypeError when they
 * hold what canonical MessagePack cannot, or nest more than 16 levels deep
 */
export function delegate(issuer: Signer, options: DelegateOptions): Uint8Array {
  const { audience, command, policy = [], expiresAt, notBefore, meta = {}, nonce } = options;
  const subject = options.subject === undefined ? issuer.publicKey : publicKeyFromPeerId(options.subject);
  const fields = [
    VERSION,
    issuer.publicKey,
    publicKeyFromPeerId(audience),
    subject,
    command,
    policy,
    nonce ?? randomBytes(NONCE_LENGTH),
    notBefore ?? null,
    expiresAt,
    meta,
  ];
  if (!areDelegationFields(fields))
    throw new RangeError('a field of the delegation is malformed or too long');
  const bytes = encodeSigned(DOMAIN, fields, issuer);
  if (verified(bytes) === undefined) throw new RangeError('a delegation has at most 8 KiB');
  return bytes;
}

/**
 * Reads a delegation and verifies its signature, nothing else.
 *
 * @throws IdentityError `INVALID_DELEGATION`
 */
export function decodeDelegation(bytes: Uint8Array): Delegation {
  const signed = verified(bytes);
  if (signed === undefined || !areDelegationFields(signed.fields)) {
    throw new IdentityError('INVALID_DELEGATION', 'not a valid delegation, or its signature is wrong');
  }
  const [, issuer, audience, subject, command, policy, nonce, notBefore, expiresAt, meta] = signed.fields;
  return {
    id: sha256(signedBytes(DOMAIN, signed.payload)),
    issuer: peerIdFromPublicKey(issuer),
    audience: peerIdFromPublicKey(audience),
    subject: peerIdFromPublicKey(subject),
    command,
    policy,
    nonce,
    ...(notBefore === null ? {} : { notBefore }),
    expiresAt,
    meta,
  };
}

function verified(bytes: Uint8Array): SignedStructure | undefined {
  return decodeSigned(DOMAIN, bytes, {
    maxBytes: MAX_DELEGATION_LENGTH,
    maxDepth: MAX_DEPTH,
    signers: (fields) => (areDelegationFields(fields) ? [fields[1]] : undefined),
  });
}

/** Whether a delegation of `granted` covers `command`: the same or one below it. */
export function commandCovers(granted: string, command: string): boolean {
  return granted === '/' || command === granted || command.startsWith(`${granted}/`);
}

/** Whether a text is a command. */
export function isCommand(value: unknown): value is string {
  return typeof value === 'string' && COMMAND_PATTERN.test(value);
}

type DelegationFields = [
  number,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  string,
  Policy,
  Uint8Array,
  number | null,
  number,
  Record<string, PolicyValue>,
];

function areDelegationFields(fields: readonly unknown[]): fields is DelegationFields {
  const [version, issuer, audience, subject, command, policy, nonce, notBefore, expiresAt, meta] = fields;
  return (
    fields.length === 10 &&
    version === VERSION &&
    [issuer, audience, subject].every(isBytes32) &&
    isCommand(command) &&
    isPolicy(policy) &&
    nonce instanceof Uint8Array &&
    nonce.length === NONCE_LENGTH &&
    (notBefore === null || isTime(notBefore)) &&
    isTime(expiresAt) &&
    (notBefore === null || (notBefore < expiresAt && expiresAt - notBefore <= MAX_DELEGATION_LIFETIME_MS)) &&
    isMeta(meta)
  );
}

function isMeta(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    Object.keys(value).length <= MAX_META_KEYS
  );
}
