import { SecretBytes } from '@nzcore/crypto';

/** A 32-byte key, borrowed for the call: neither copied for longer nor zeroed. */
export type KeySource = SecretBytes | Uint8Array;

/** The length of every key here. */
export const KEY_BYTES = 32;

/** Lends the key's bytes. @throws TypeError or RangeError for what is no key */
export function useKey<T>(source: KeySource, action: (key: Uint8Array) => T): T {
  if (source instanceof SecretBytes) return source.use((bytes) => action(checked(bytes)));
  return action(checked(source));
}

function checked(bytes: Uint8Array): Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('a key must be SecretBytes or a Uint8Array');
  if (bytes.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes`);
  return bytes;
}
