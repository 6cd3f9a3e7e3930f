import { CryptoError } from '../errors.ts';

/**
 * The raw exports of libsodium that are used here. They take addresses in the WebAssembly memory; 64-bit lengths are
 * passed as two 32-bit halves, low first.
 */
export interface SodiumLibrary {
  /** The memory; replaced when it grows, so it is read anew for every use. */
  readonly HEAPU8: Uint8Array;
  _malloc(length: number): number;
  _free(address: number): void;
  _crypto_aead_chacha20poly1305_ietf_encrypt_detached: SealDetached;
  _crypto_aead_chacha20poly1305_ietf_decrypt_detached: OpenDetached;
  _crypto_aead_xchacha20poly1305_ietf_encrypt_detached: SealDetached;
  _crypto_aead_xchacha20poly1305_ietf_decrypt_detached: OpenDetached;
  _crypto_core_hchacha20(out: number, input: number, key: number, constant: number): number;
  _crypto_stream_chacha20_ietf_xor_ic(
    out: number,
    message: number,
    lengthLow: number,
    lengthHigh: number,
    nonce: number,
    block: number,
    key: number,
  ): number;
  _crypto_onetimeauth_poly1305_init(state: number, key: number): number;
  _crypto_onetimeauth_poly1305_update(state: number, data: number, low: number, high: number): number;
  _crypto_onetimeauth_poly1305_final(state: number, out: number): number;
  _crypto_onetimeauth_statebytes(): number;
  _crypto_generichash(
    out: number,
    outLength: number,
    data: number,
    low: number,
    high: number,
    key: number,
    keyLength: number,
  ): number;
  _crypto_generichash_statebytes(): number;
  _crypto_generichash_init(state: number, key: number, keyLength: number, outLength: number): number;
  _crypto_generichash_update(state: number, data: number, low: number, high: number): number;
  _crypto_generichash_final(state: number, out: number, outLength: number): number;
  _crypto_hash_sha256(out: number, data: number, low: number, high: number): number;
  _crypto_hash_sha256_statebytes(): number;
  _crypto_hash_sha256_init(state: number): number;
  _crypto_hash_sha256_update(state: number, data: number, low: number, high: number): number;
  _crypto_hash_sha256_final(state: number, out: number): number;
  _crypto_hash_sha512(out: number, data: number, low: number, high: number): number;
  _crypto_hash_sha512_statebytes(): number;
  _crypto_hash_sha512_init(state: number): number;
  _crypto_hash_sha512_update(state: number, data: number, low: number, high: number): number;
  _crypto_hash_sha512_final(state: number, out: number): number;
  _crypto_auth_hmacsha256_init(state: number, key: number, keyLength: number): number;
  _crypto_auth_hmacsha256_update(state: number, data: number, low: number, high: number): number;
  _crypto_auth_hmacsha256_final(state: number, out: number): number;
  _crypto_auth_hmacsha512_init(state: number, key: number, keyLength: number): number;
  _crypto_auth_hmacsha512_update(state: number, data: number, low: number, high: number): number;
  _crypto_auth_hmacsha512_final(state: number, out: number): number;
  _crypto_sign_seed_keypair(publicKey: number, secretKey: number, seed: number): number;
  _crypto_sign_detached(
    signature: number,
    signatureLength: number,
    message: number,
    low: number,
    high: number,
    secretKey: number,
  ): number;
  _crypto_sign_verify_detached(
    signature: number,
    message: number,
    low: number,
    high: number,
    publicKey: number,
  ): number;
  _crypto_sign_ed25519_pk_to_curve25519(out: number, publicKey: number): number;
  _crypto_scalarmult_base(out: number, secretKey: number): number;
  _crypto_scalarmult(out: number, secretKey: number, publicKey: number): number;
  _crypto_pwhash(
    out: number,
    outLow: number,
    outHigh: number,
    password: number,
    low: number,
    high: number,
    salt: number,
    opsLow: number,
    opsHigh: number,
    memory: number,
    algorithm: number,
  ): number;
  _crypto_pwhash_scryptsalsa208sha256_ll(
    password: number,
    passwordLength: number,
    salt: number,
    saltLength: number,
    nLow: number,
    nHigh: number,
    r: number,
    p: number,
    out: number,
    outLength: number,
  ): number;
}

type SealDetached = (
  ciphertext: number,
  tag: number,
  tagLength: number,
  message: number,
  messageLow: number,
  messageHigh: number,
  ad: number,
  adLow: number,
  adHigh: number,
  secretNonce: number,
  nonce: number,
  key: number,
) => number;

type OpenDetached = (
  message: number,
  secretNonce: number,
  ciphertext: number,
  low: number,
  high: number,
  tag: number,
  ad: number,
  adLow: number,
  adHigh: number,
  nonce: number,
  key: number,
) => number;

// libsodium is one WebAssembly instance per process; loading it twice would only cost memory.
let loaded: SodiumLibrary | undefined;
let loading: Promise<void> | undefined;

/** Loads libsodium unless that was done; a failure may be retried. */
export function loadSodium(): Promise<void> {
  loading ??= load().catch((cause: unknown) => {
    loading = undefined;
    throw new CryptoError('UNSUPPORTED', 'libsodium could not be loaded', { cause });
  });
  return loading;
}

async function load(): Promise<void> {
  const { default: sodium } = await import('libsodium-wrappers-sumo');
  await sodium.ready;
  // The wrappers export the raw module; their types do not say so.
  const { libsodium } = sodium as unknown as { libsodium: SodiumLibrary };
  loaded = libsodium;
}

/** Whether {@link sodium} will answer. */
export function isSodiumLoaded(): boolean {
  return loaded !== undefined;
}

/** The raw library. @throws CryptoError `NOT_READY` */
export function sodium(): SodiumLibrary {
  if (loaded === undefined) {
    throw new CryptoError(
      'NOT_READY',
      'this operation needs libsodium: await ready() of @nzcore/crypto first',
    );
  }
  return loaded;
}
