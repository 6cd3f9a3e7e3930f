import { CryptoError } from '../errors.ts';
import { hasNodeCrypto } from '../node/node-crypto.ts';

/**
 * What is used of sodium-native, libsodium compiled for one system. Results go into the first argument; a function throws
 * where libsodium answers -1.
 */
export interface NativeSodium {
  crypto_scalarmult(shared: Uint8Array, secretKey: Uint8Array, publicKey: Uint8Array): void;
  crypto_scalarmult_base(publicKey: Uint8Array, secretKey: Uint8Array): void;
  crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

let native: NativeSodium | undefined;

/** Whether {@link useNativeSodium} was called. */
export function hasNativeSodium(): boolean {
  return native !== undefined;
}

/** The library. @throws CryptoError `NOT_READY` */
export function nativeSodium(): NativeSodium {
  if (native === undefined) throw new CryptoError('NOT_READY', 'call useNativeSodium first');
  return native;
}

/**
 * Takes X25519, and verifying with Ed25519, from sodium-native 4 or 5 for this process: a connect between strangers costs each side
 * a quarter less processor time. Every result is the same, and everything else stays where it is.
 *
 *     import sodium from 'sodium-native';
 *     useNativeSodium(sodium);
 *
 * Call it when the process starts. Published test vectors are computed before it is believed.
 *
 * @param library - what sodium-native exports
 * @throws CryptoError `UNSUPPORTED` when it computes nothing, or something else, or where there is no node:crypto; what was used before is used on
 */
export function useNativeSodium(library: NativeSodium): void {
  if (!hasNodeCrypto())
    throw new CryptoError('UNSUPPORTED', 'sodium-native is for runtimes with node:crypto');
  let isRight = false;
  try {
    isRight = computesKnownAnswers(library);
  } catch (cause) {
    throw new CryptoError(
      'UNSUPPORTED',
      'this is no sodium-native that works here: give its default export',
      {
        cause,
      },
    );
  }
  if (!isRight) {
    const advice = 'install it again, or do without it';
    throw new CryptoError(
      'UNSUPPORTED',
      `sodium-native computes other results than RFC 7748 and RFC 8032 say: ${advice}`,
    );
  }
  native = library;
}

// RFC 7748 §5.2, the first vector, and RFC 8032 §7.1, TEST 1.
const SCALAR = 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4';
const POINT = 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c';
const PRODUCT = 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552';
const SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const IDENTITY = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
const SIGNATURE =
  'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b';

function computesKnownAnswers(library: NativeSodium): boolean {
  const product = new Uint8Array(32);
  library.crypto_scalarmult(product, fromHex(SCALAR), fromHex(POINT));
  const identity = new Uint8Array(32);
  library.crypto_sign_seed_keypair(identity, new Uint8Array(64), fromHex(SEED));
  const base = new Uint8Array(32).fill(9, 0, 1);
  const expected = new Uint8Array(32);
  library.crypto_scalarmult(expected, fromHex(SCALAR), base);
  const publicKey = new Uint8Array(32);
  library.crypto_scalarmult_base(publicKey, fromHex(SCALAR));
  const forged = fromHex(SIGNATURE);
  forged[0]! ^= 1;
  const nothing = new Uint8Array(0);
  return (
    isSame(product, fromHex(PRODUCT)) &&
    isSame(publicKey, expected) &&
    isSame(identity, fromHex(IDENTITY)) &&
    library.crypto_sign_verify_detached(fromHex(SIGNATURE), nothing, identity) === true &&
    library.crypto_sign_verify_detached(forged, nothing, identity) === false &&
    refusesSmallOrder(library)
  );
}

/** The all-zero result of a point of small order is an error (RFC 7748 §6.1): nobody else looks at it. */
function refusesSmallOrder(library: NativeSodium): boolean {
  try {
    library.crypto_scalarmult(new Uint8Array(32), fromHex(SCALAR), new Uint8Array(32));
    return false;
  } catch {
    return true;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}
