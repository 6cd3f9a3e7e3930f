import { CryptoError } from '../errors.ts';

/** Node's crypto module, reached without an import so that this code can be bundled for a browser. */
export type NodeCrypto = NonNullable<ReturnType<typeof findNodeCrypto>>;

const found = findNodeCrypto();

function findNodeCrypto(): ReturnType<typeof process.getBuiltinModule<'node:crypto'>> | undefined {
  // A browser has no process; a bundler's stand-in for it has no getBuiltinModule.
  const runtime: Partial<Pick<typeof process, 'getBuiltinModule'>> | undefined = globalThis.process;
  return runtime?.getBuiltinModule?.('node:crypto');
}

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
