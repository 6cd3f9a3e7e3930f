/** Stable reasons of an {@link IdentityError}; callers branch on these, never on the message. */
export type IdentityErrorCode =
  | 'INVALID_PEER_ID'
  | 'INVALID_MNEMONIC'
  | 'INVALID_BOX'
  | 'INVALID_CARD'
  | 'CARD_EXPIRED'
  | 'CARD_NOT_YET_VALID'
  | 'INVALID_DELEGATION'
  | 'INVALID_REVOCATION'
  | 'INVALID_STATEMENT'
  | 'INVALID_SHARE'
  | 'WRONG_SHARES'
  | 'INVALID_KEYSTORE'
  | 'WRONG_PASSPHRASE'
  | 'KEYSTORE_LOCKED'
  | 'KEYSTORE_EXISTS'
  | 'KEYSTORE_MISSING'
  | 'KEYSTORE_CHANGED'
  | 'INSECURE_FILE'
  | 'INVALID_KEY_FILE'
  | 'NO_MNEMONIC'
  | 'PASSPHRASE_UNAVAILABLE'
  | 'KEYCHAIN_UNAVAILABLE'
  | 'UNKNOWN_PROFILE'
  | 'PROFILE_EXISTS'
  | 'PROFILE_ACTIVE'
  | 'TOO_MANY_PROFILES'
  | 'DISPOSED';

/** An operational failure of this package. Its message never holds a secret. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  /** The stable reason. */
  readonly code: IdentityErrorCode;

  /** Callers of this package receive these errors; they have no need to create one. */
  constructor(code: IdentityErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
