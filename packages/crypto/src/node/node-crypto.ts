import type * as Crypto from 'node:crypto';
import { CryptoError } from '../errors.ts';

/** Node's crypto module; its types are imported, the module itself is not, so that a browser can load this file. */
export type NodeCrypto = typeof Crypto;

// A browser has no process; a bundler's stand-in for it has no getBuiltinModule.
const found: NodeCrypto | undefined = globalThis.process?.getBuiltinModule?.('node:crypto');

/** Whether this runtime has node:crypto. */
export function hasNodeCrypto(): boolean {
  return found !== undefined;
}

/** node:crypto. @throws CryptoError `UNSUPPORTED` */
export function nodeCrypto(): NodeCrypto {
  if (found === undefined) throw new CryptoError('UNSUPPORTED', 'this runtime has no node:crypto');
  return found;
}

/** The bytes of a Buffer as a plain Uint8Array over the same memory; node:crypto's results are never pooled. */
export function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
