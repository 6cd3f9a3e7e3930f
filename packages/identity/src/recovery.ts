export { IdentityError, type IdentityErrorCode } from './errors.ts';
export { type RecoveryKey, recoveryKeyFromMnemonic } from './recovery-key.ts';
export {
  followSuccessions,
  type RecoveryCommitment,
  recoveryCommitmentOf,
  type SignRecoveryInput,
  type SignRotationInput,
  type Succession,
  type SuccessionVerdict,
  signRecovery,
  signRecoveryCommitment,
  signRotation,
  verifyRecovery,
  verifyRecoveryCommitment,
  verifyRotation,
} from './rotation.ts';
export { describeShare, joinShares, type ShareInfo, type SplitOptions, splitMnemonic } from './shares.ts';
export type { Signer } from './signed.ts';
