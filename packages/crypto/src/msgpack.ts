export { CryptoError, type CryptoErrorCode } from './errors.ts';
export { decodeCanonical } from './msgpack/decode.ts';
export { encodeCanonical } from './msgpack/encode.ts';
export type { CanonicalValue, DecodeLimits } from './msgpack/limits.ts';
export { decodeUntrusted } from './msgpack/untrusted.ts';
