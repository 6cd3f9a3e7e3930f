import { CipherState } from './cipher-state.ts';
import type { CipherSuite } from './suite.ts';

const KEY_LENGTH = 32;
const nothing = new Uint8Array(0);
const utf8 = new TextEncoder();

/** SymmetricState of Noise §5.2: the chaining key, the transcript hash and the handshake's current key. */
export class SymmetricState implements Disposable {
  readonly #suite: CipherSuite;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  #cipher: CipherState | undefined;

  constructor(suite: CipherSuite, protocolName: string) {
    this.#suite = suite;
    const name = utf8.encode(protocolName);
    const padded = new Uint8Array(suite.hash.length);
    if (name.length <= padded.length) padded.set(name);
    this.#hash = name.length <= padded.length ? padded : suite.hash.hash(name);
    this.#chainingKey = this.#hash.slice();
  }

  /** The transcript hash so far; borrowed. */
  get hash(): Uint8Array {
    return this.#hash;
  }

  mixKey(input: Uint8Array): void {
    const { length } = this.#suite.hash;
    const output = this.#suite.hash.hkdf(this.#chainingKey, input, 2);
    this.#replaceChainingKey(output);
    this.#replaceCipher(output.slice(length, length + KEY_LENGTH));
    this.#suite.primitives.wipe(output);
  }

  mixHash(data: Uint8Array): void {
    const joined = new Uint8Array(this.#hash.length + data.length);
    joined.set(this.#hash);
    joined.set(data, this.#hash.length);
    this.#hash = this.#suite.hash.hash(joined);
  }

  /** For pre-shared keys: the key goes into the transcript as well (Noise §9.1). */
  mixKeyAndHash(input: Uint8Array): void {
    const { length } = this.#suite.hash;
    const output = this.#suite.hash.hkdf(this.#chainingKey, input, 3);
    this.#replaceChainingKey(output);
    this.mixHash(output.subarray(length, 2 * length));
    this.#replaceCipher(output.slice(2 * length, 2 * length + KEY_LENGTH));
    this.#suite.primitives.wipe(output);
  }

  /** As long as there is no key this is the plaintext itself, but part of the transcript (Noise §5.2). */
  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.#cipher ? this.#cipher.encryptWithAd(this.#hash, plaintext) : plaintext;
    this.mixHash(ciphertext);
    return ciphertext;
  }

  decryptAndHash(ciphertext: Uint8Array): Uint8Array {
    const plaintext = this.#cipher
      ? this.#cipher.decryptWithAd(this.#hash, ciphertext)
      : new Uint8Array(ciphertext);
    this.mixHash(ciphertext);
    return plaintext;
  }

  /** Bytes by which `encryptAndHash` lengthens its input now. */
  get overhead(): number {
    return this.#cipher ? 16 : 0;
  }

  /** The two transport keys, 32 bytes each; the caller owns them. */
  split(): [Uint8Array, Uint8Array] {
    const { length } = this.#suite.hash;
    const output = this.#suite.hash.hkdf(this.#chainingKey, nothing, 2);
    const keys: [Uint8Array, Uint8Array] = [
      output.slice(0, KEY_LENGTH),
      output.slice(length, length + KEY_LENGTH),
    ];
    this.#suite.primitives.wipe(output);
    return keys;
  }

  /** A second state that goes on from here; its owner wipes it. */
  fork(): SymmetricState {
    const twin = new SymmetricState(this.#suite, '');
    twin.#chainingKey = this.#chainingKey.slice();
    twin.#hash = this.#hash.slice();
    twin.#cipher = this.#cipher?.fork();
    return twin;
  }

  [Symbol.dispose](): void {
    this.#suite.primitives.wipe(this.#chainingKey);
    this.#cipher?.[Symbol.dispose]();
    this.#cipher = undefined;
  }

  #replaceChainingKey(output: Uint8Array): void {
    this.#suite.primitives.wipe(this.#chainingKey);
    this.#chainingKey = output.slice(0, this.#suite.hash.length);
  }

  #replaceCipher(key: Uint8Array): void {
    this.#cipher?.[Symbol.dispose]();
    this.#cipher = new CipherState(this.#suite, key);
  }
}
