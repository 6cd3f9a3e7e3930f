import { isUnavailable, NoiseError } from './errors.ts';
import type { CipherName, CipherSuite } from './suite.ts';

/** Longest Noise message in bytes (Noise §3). */
export const MAX_MESSAGE_LENGTH = 65_535;
/** Bytes of an authentication tag. */
export const TAG_LENGTH = 16;

const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const nothing = new Uint8Array(0);
// Written right before each use and read before it ends, so that all cipher states can share it.
const nonce = new Uint8Array(NONCE_LENGTH);
const nonceView = new DataView(nonce.buffer);

/**
 * Writes a counter into the last 8 of 12 nonce bytes: little-endian for ChaChaPoly, big-endian for AESGCM (Noise §12.3, §12.4).
 */
function writeNonce(cipherName: CipherName, counter: number): void {
  const isLittleEndian = cipherName === 'ChaChaPoly';
  const low = counter % 2 ** 32;
  const high = Math.floor(counter / 2 ** 32);
  nonceView.setUint32(isLittleEndian ? 4 : 8, low, isLittleEndian);
  nonceView.setUint32(isLittleEndian ? 8 : 4, high, isLittleEndian);
}

/** CipherState of Noise §5.1: a key and a counter. Wiped by `[Symbol.dispose]`. */
export class CipherState implements Disposable {
  readonly #suite: CipherSuite;
  #key: Uint8Array | undefined;
  #counter = 0;

  /** @param key - 32 bytes; owned from now on and zeroed after use. */
  constructor(suite: CipherSuite, key: Uint8Array) {
    if (key.length !== KEY_LENGTH) throw new RangeError('a cipher key has 32 bytes');
    this.#suite = suite;
    this.#key = key;
  }

  /** Counter of the next message. */
  get nonce(): number {
    return this.#counter;
  }

  /**
   * Sets the counter of the next message, for transports that lose or reorder messages (Noise §11.4).
   * @throws RangeError when it is not an integer from 0 to 2^53-2.
   */
  setNonce(counter: number): void {
    if (!Number.isSafeInteger(counter) || counter < 0 || counter === Number.MAX_SAFE_INTEGER) {
      throw new RangeError('a nonce is an integer from 0 to 2^53-2');
    }
    this.#counter = counter;
  }

  /**
   * Encrypts and authenticates; the result is 16 bytes longer.
   * @throws RangeError when the message would be longer than 65535 bytes; NoiseError `NONCE_EXHAUSTED`, `FINISHED`.
   */
  encryptWithAd(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (plaintext.length + TAG_LENGTH > MAX_MESSAGE_LENGTH) {
      throw new RangeError('a Noise message has at most 65535 bytes');
    }
    const key = this.#take();
    const sealed = this.#suite.cipher.seal(key, this.#nonceBytes(), plaintext, ad);
    this.#counter += 1;
    return sealed;
  }

  /**
   * Opens what `encryptWithAd` made. The counter only moves when it succeeds (Noise §5.1).
   * @throws NoiseError `INVALID_MESSAGE`, `NONCE_EXHAUSTED`, `FINISHED`.
   */
  decryptWithAd(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const key = this.#take();
    if (ciphertext.length < TAG_LENGTH || ciphertext.length > MAX_MESSAGE_LENGTH) throw invalidMessage();
    const plaintext = open(this.#suite, key, this.#nonceBytes(), ciphertext, ad);
    this.#counter += 1;
    return plaintext;
  }

  /** Replaces the key by a one-way function of it (Noise §4.2, §11.3). The counter stays. */
  rekey(): void {
    const key = this.#take();
    const lastNonce = new Uint8Array(NONCE_LENGTH).fill(0xff, 4);
    const sealed = this.#suite.cipher.seal(key, lastNonce, new Uint8Array(KEY_LENGTH), nothing);
    this.#suite.primitives.wipe(key);
    this.#key = sealed.slice(0, KEY_LENGTH);
    this.#suite.primitives.wipe(sealed);
  }

  /** A second state with the same key and counter; its owner wipes it. */
  fork(): CipherState {
    const twin = new CipherState(this.#suite, this.#take().slice());
    twin.#counter = this.#counter;
    return twin;
  }

  /** Zeroes the key; every later call throws `FINISHED`. */
  [Symbol.dispose](): void {
    if (this.#key) this.#suite.primitives.wipe(this.#key);
    this.#key = undefined;
  }

  #take(): Uint8Array {
    if (!this.#key) throw new NoiseError('FINISHED', 'the cipher state is disposed of');
    if (this.#counter >= Number.MAX_SAFE_INTEGER) {
      throw new NoiseError('NONCE_EXHAUSTED', 'the cipher state has used its last nonce');
    }
    return this.#key;
  }

  #nonceBytes(): Uint8Array {
    writeNonce(this.#suite.cipherName, this.#counter);
    return nonce;
  }
}

function open(
  suite: CipherSuite,
  key: Uint8Array,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  ad: Uint8Array,
): Uint8Array {
  try {
    return suite.cipher.open(key, nonce, ciphertext, ad);
  } catch (cause) {
    throw isUnavailable(cause) ? cause : invalidMessage();
  }
}

/** The one answer to whatever is wrong with a received message: it says nothing about where it failed. */
export function invalidMessage(): NoiseError {
  return new NoiseError('INVALID_MESSAGE', 'the message is not a valid continuation of this handshake');
}
