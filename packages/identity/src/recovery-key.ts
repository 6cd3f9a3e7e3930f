import { ed25519, wipe } from '@nzcore/crypto';
import { signedBytes } from './domain.ts';
import { IdentityError } from './errors.ts';
import { deriveKey } from './key-schedule.ts';
import { seedFromMnemonic } from './mnemonic.ts';
import { recoveryCommitmentOf } from './rotation.ts';
import type { Signer } from './signed.ts';

/** A key that is kept off line to name a successor if the identity's own key is lost or stolen. */
export interface RecoveryKey extends Signer, Disposable {
  /** What the identity promises in public; 32 bytes. */
  readonly commitment: Uint8Array;
}

/**
 * The recovery key of some words. Use words of their own, kept elsewhere: the words of the identity would be lost
 * together with it.
 *
 * @throws IdentityError `INVALID_MNEMONIC`
 */
export async function recoveryKeyFromMnemonic(
  words: string,
  options: { readonly passphrase?: string } = {},
): Promise<RecoveryKey> {
  const seed = await seedFromMnemonic(words, options);
  try {
    return recoveryKeyOf(deriveKey(seed, 'recovery'));
  } finally {
    wipe(seed);
  }
}

function recoveryKeyOf(secretKey: Uint8Array): RecoveryKey {
  const { publicKey } = ed25519.keyPairFromSeed(secretKey);
  let disposed = false;
  return {
    publicKey,
    commitment: recoveryCommitmentOf(publicKey),
    sign: (domain, bytes) => {
      if (disposed) throw new IdentityError('DISPOSED', 'the recovery key has been disposed');
      return ed25519.sign(signedBytes(domain, bytes), secretKey);
    },
    [Symbol.dispose]: () => {
      disposed = true;
      wipe(secretKey);
    },
  };
}
