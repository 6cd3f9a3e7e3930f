import { randomBytes } from '../bytes.ts';
import { fromBase64Url, toBase64Url } from './base64url.ts';
import { type NodeCrypto, nodeCrypto } from './node-crypto.ts';

/** A key as node:crypto holds it. */
export type KeyObject = ReturnType<NodeCrypto['createSecretKey']>;
/** The curves whose keys are imported. */
export type CurveName = 'Ed25519' | 'X25519';

// Keys of more peers than this are imported again. X25519 has the ephemeral keys among them, which nobody needs after their handshake:
// each would hold a kilobyte for as long as its connection lasts.
const MAX_PUBLIC_KEYS: Readonly<Record<CurveName, number>> = { Ed25519: 1024, X25519: 128 };

// Importing costs as much as signing does (Node 20: JWK 36 µs, DER 370 µs). Public keys are found by content; undefined was met, and not imported.
const publicKeys: Readonly<Record<CurveName, Map<string, KeyObject | undefined>>> = {
  Ed25519: new Map(),
  X25519: new Map(),
};

// Private keys are found by the array that holds them, so that nothing outlives the owner's array; the
// fingerprint notices that its content was changed.
const privateKeys = new WeakMap<Uint8Array, { curve: CurveName; fingerprint: number; key: KeyObject }>();

/**
 * Node 24 tries what it is given as KeyObject, as CryptoKey and as both once more, and catches an exception each time, with a
 * stack trace that nobody ever sees: 16 of the 23 µs of a public key's import, more below a deep stack. Where the limit is
 * frozen they stay.
 */
function withoutStackTraces<T>(action: () => T): T {
  const limit = Error.stackTraceLimit;
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return action();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
  }
}

/** The imported form of a public key; the least recently used one is forgotten. */
export function importPublicKey(curve: CurveName, bytes: Uint8Array): KeyObject {
  const id = toBase64Url(bytes);
  const key = publicKeys[curve].get(id) ?? createPublicKey(curve, bytes, id);
  remember(curve, id, key);
  return key;
}

/** Whether a public key has been asked for before, by this or to be imported: most keys are met once, and not worth an import. */
export function isReturningKey(curve: CurveName, bytes: Uint8Array): boolean {
  const id = toBase64Url(bytes);
  const isKnown = publicKeys[curve].has(id);
  if (!isKnown) remember(curve, id, undefined);
  return isKnown;
}

function createPublicKey(curve: CurveName, bytes: Uint8Array, id: string): KeyObject {
  takesRawKeys ??= canTakeRawKeys();
  const key = takesRawKeys
    ? rawKey(curve, bytes)
    : { key: { kty: 'OKP', crv: curve, x: id }, format: 'jwk' as const };
  return withoutStackTraces(() => nodeCrypto().createPublicKey(key));
}

/** Newer versions of Node than its types here know of take the bytes as they are: a quarter less than as JWK for who has just been woken. */
function rawKey(curve: CurveName, bytes: Uint8Array): Parameters<NodeCrypto['createPublicKey']>[0] {
  const input: object = { key: bytes, format: 'raw-public', asymmetricKeyType: curve.toLowerCase() };
  return input as Parameters<NodeCrypto['createPublicKey']>[0];
}

let takesRawKeys: boolean | undefined;

/** Tries it with a key that is nobody's: others refuse the format. */
function canTakeRawKeys(): boolean {
  const bytes = new Uint8Array(32).fill(9);
  try {
    const key = withoutStackTraces(() => nodeCrypto().createPublicKey(rawKey('X25519', bytes)));
    return key.export({ format: 'jwk' }).x === toBase64Url(bytes);
  } catch {
    return false;
  }
}

function remember(curve: CurveName, id: string, key: KeyObject | undefined): void {
  const known = publicKeys[curve];
  known.delete(id);
  known.set(id, key);
  if (known.size <= MAX_PUBLIC_KEYS[curve]) return;
  const [oldest] = known.keys();
  known.delete(oldest!);
}

/** The imported form of a private key. */
export function importPrivateKey(curve: CurveName, bytes: Uint8Array): KeyObject {
  const known = privateKeys.get(bytes);
  const fingerprint = fingerprintOf(bytes);
  if (known !== undefined && known.curve === curve && known.fingerprint === fingerprint) return known.key;
  // OpenSSL computes the public key itself; `x` has to be there and is not read.
  const jwk = { kty: 'OKP', crv: curve, x: '', d: toBase64Url(bytes) };
  const key = withoutStackTraces(() => nodeCrypto().createPrivateKey({ key: jwk, format: 'jwk' }));
  privateKeys.set(bytes, { curve, fingerprint, key });
  return key;
}

/**
 * A fresh key pair, its private key already imported. Node's own generateKeyPairSync is not used: on Node 20 exporting its
 * key may never return, when a garbage collection meanwhile destroys the job that made the key: both lock it.
 */
export function generateKeyPair(curve: CurveName): { publicKey: Uint8Array; secretKey: Uint8Array } {
  const secretKey = randomBytes(32);
  return { publicKey: publicKeyOf(importPrivateKey(curve, secretKey)), secretKey };
}

/** The raw public key of a private key. */
export function publicKeyOf(key: KeyObject): Uint8Array {
  return fromBase64Url(nodeCrypto().createPublicKey(key).export({ format: 'jwk' }).x!);
}

/** Forgets the imported form of a private key. */
export function forgetPrivateKey(bytes: Uint8Array): void {
  privateKeys.delete(bytes);
}

/**
 * 53 bits that are others when the bytes are: they notice that an owner has put another key into his array, and withstand nobody. SHA-256
 * took 7 µs in a process that has just been woken.
 */
function fingerprintOf(bytes: Uint8Array): number {
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte ^ (b >>> 15), 0x85ebca6b);
  }
  return (a >>> 0) * 0x200000 + (b >>> 11);
}
