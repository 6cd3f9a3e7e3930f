import { useNativeSodium } from '@nzcore/crypto';

/**
 * Takes the curves of handshakes from sodium-native, an optional dependency.
 *
 * @returns false where it is not installed or was not built for this system: then node:crypto and WebAssembly compute them
 */
export async function useInstalledSodium(): Promise<boolean> {
  try {
    const { default: sodium } = await import('sodium-native');
    useNativeSodium(sodium);
    return true;
  } catch {
    // Nothing is missing, only slower, and the ready event says which it is.
    return false;
  }
}
