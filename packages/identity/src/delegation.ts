export {
  type DelegationRefusal,
  type DelegationVerdict,
  MAX_CHAIN_LENGTH,
  type VerifyDelegationInput,
  verifyDelegation,
} from './delegation/chain.ts';
export {
  commandCovers,
  type DelegateOptions,
  type Delegation,
  decodeDelegation,
  delegate,
  MAX_DELEGATION_LENGTH,
  MAX_DELEGATION_LIFETIME_MS,
} from './delegation/delegation.ts';
export type { Policy, PolicyStatement, PolicyValue } from './delegation/policy.ts';
export { decodeRevocation, type KnownRevocations, type Revocation, revoke } from './delegation/revocation.ts';
export { IdentityError, type IdentityErrorCode } from './errors.ts';
export type { Signer } from './signed.ts';
