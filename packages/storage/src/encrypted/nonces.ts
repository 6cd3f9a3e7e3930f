import { randomBytes } from '@nzcore/crypto';

// One call to the system's generator for 256 nonces: a call costs as much as sealing a small record.
const POOL = 256;

/** Random nonces for XChaCha20-Poly1305, each given once. */
export function createNonces(): () => Uint8Array {
  let pool = new Uint8Array(0);
  let offset = 0;
  return () => {
    if (offset === pool.length) {
      pool = new Uint8Array(randomBytes(24 * POOL));
      offset = 0;
    }
    offset += 24;
    return pool.subarray(offset - 24, offset);
  };
}
