import { useNativeSodium } from '@nzcore/crypto';

/**
 * Takes the curves of handshakes from sodium-native, an optional dependency.
 *
 * @returns false where it is not installed or was not built for this system: then node:crypto and WebAssembly compute them
 * @throws CryptoError `UNSUPPORTED` when it computes something else than it should
 */
export async function useInstalledSodium(): Promise<boolean> {
  const sodium = await import('sodium-native').then(
    (library) => library.default,
    () => undefined,
  );
  if (sodium === undefined) return false;
  useNativeSodium(sodium);
  return true;
}
