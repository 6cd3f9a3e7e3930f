import { type CipherBackend, type CipherKey, type CipherName, type Parts, TAG_LENGTH } from './backend.ts';
import { assertBytes, assertData, assertLength, copyBytes, EMPTY, MAX_LENGTH, totalLength } from './bytes.ts';
import { CryptoError } from './errors.ts';
import type { Aead, AeadKey, Opener } from './primitives.ts';
import type { Selection } from './selection.ts';

const KEY_LENGTH = 32;
const MAX_HEADROOM = 1024;

/** Checks arguments, chooses the backend by size and gives failures their code. */
export function createAead(name: CipherName, nonceLength: 12 | 24, selection: Selection): Aead {
  const bySize = selection.sized(name);
  const choose = (length: number): CipherBackend => bySize(length).ciphers[name];

  function seal(key: CipherKey, nonce: Uint8Array, plaintext: Uint8Array, ad: Uint8Array): Uint8Array {
    checkNonce(nonce, ad);
    assertData('plaintext', plaintext);
    return choose(plaintext.length).seal(key, nonce, plaintext, ad);
  }

  function sealInto(target: Uint8Array, inputs: SealInputs): void {
    const { key, nonce, plaintext, ad } = inputs;
    checkNonce(nonce, ad);
    assertData('plaintext', plaintext);
    assertBytes('target', target, plaintext.length + TAG_LENGTH);
    const cipher = choose(plaintext.length);
    if (cipher.sealInto !== undefined) cipher.sealInto(target, inputs);
    else target.set(cipher.seal(key, nonce, plaintext, ad));
  }

  function open(key: CipherKey, nonce: Uint8Array, ciphertext: Uint8Array, ad: Uint8Array): Uint8Array {
    checkNonce(nonce, ad);
    assertData('ciphertext', ciphertext);
    if (ciphertext.length < TAG_LENGTH) throw authenticationFailed();
    const plaintext = choose(ciphertext.length - TAG_LENGTH).open(key, nonce, ciphertext, ad);
    if (plaintext === undefined) throw authenticationFailed();
    return plaintext;
  }

  function openInto(target: Uint8Array, inputs: OpenInputs): void {
    const { key, nonce, ciphertext, ad } = inputs;
    checkNonce(nonce, ad);
    assertData('ciphertext', ciphertext);
    if (ciphertext.length < TAG_LENGTH) throw authenticationFailed();
    assertBytes('target', target, ciphertext.length - TAG_LENGTH);
    const cipher = choose(target.length);
    if (cipher.openInto !== undefined) {
      if (!cipher.openInto(target, inputs)) throw authenticationFailed();
      return;
    }
    const plaintext = cipher.open(key, nonce, ciphertext, ad);
    if (plaintext === undefined) throw authenticationFailed();
    target.set(plaintext);
    plaintext.fill(0);
  }

  function sealParts(key: CipherKey, nonce: Uint8Array, message: Parts, ad: Uint8Array): Uint8Array[] {
    checkNonce(nonce, ad);
    for (const part of message.parts) assertBytes('part', part);
    assertLength('the length of all parts', message.length, 0, MAX_LENGTH);
    assertLength('headroom', message.headroom, 0, MAX_HEADROOM);
    return choose(message.length).sealParts(key, nonce, message, ad);
  }

  function createOpener(key: CipherKey, nonce: Uint8Array, ad: Uint8Array): Opener {
    checkNonce(nonce, ad);
    // The length is not known: large, or nobody would want pieces.
    return checkedOpener(selection.fixed().ciphers[name], key, nonce, ad);
  }

  function checkNonce(nonce: Uint8Array, ad: Uint8Array): void {
    assertBytes('nonce', nonce, nonceLength);
    assertData('ad', ad);
  }

  const operations: KeyedOperations = { seal, sealInto, open, openInto, sealParts, createOpener };
  return {
    name,
    keyLength: KEY_LENGTH,
    nonceLength,
    tagLength: TAG_LENGTH,
    seal: (key, nonce, plaintext, ad = EMPTY) => seal(checkKey(key), nonce, plaintext, ad),
    open: (key, nonce, ciphertext, ad = EMPTY) => open(checkKey(key), nonce, ciphertext, ad),
    importKey: (key) => new BoundKey(checkKey(key).bytes, operations),
  };
}

interface SealInputs {
  readonly key: CipherKey;
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly ad: Uint8Array;
}

interface OpenInputs {
  readonly key: CipherKey;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly ad: Uint8Array;
}

interface KeyedOperations {
  seal(key: CipherKey, nonce: Uint8Array, plaintext: Uint8Array, ad: Uint8Array): Uint8Array;
  sealInto(target: Uint8Array, inputs: SealInputs): void;
  open(key: CipherKey, nonce: Uint8Array, ciphertext: Uint8Array, ad: Uint8Array): Uint8Array;
  openInto(target: Uint8Array, inputs: OpenInputs): void;
  sealParts(key: CipherKey, nonce: Uint8Array, message: Parts, ad: Uint8Array): Uint8Array[];
  createOpener(key: CipherKey, nonce: Uint8Array, ad: Uint8Array): Opener;
}

/** A class and not closures: every connection has four of these for as long as it lives. */
class BoundKey implements AeadKey {
  readonly #operations: KeyedOperations;
  #held: CipherKey | undefined;

  /** @param bytes - Copied; the copy is zeroed by `dispose`. */
  constructor(bytes: Uint8Array, operations: KeyedOperations) {
    this.#held = { bytes: copyBytes(bytes) };
    this.#operations = operations;
  }

  seal(nonce: Uint8Array, plaintext: Uint8Array, ad: Uint8Array = EMPTY): Uint8Array {
    return this.#operations.seal(this.#use(), nonce, plaintext, ad);
  }

  sealInto(target: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, ad: Uint8Array = EMPTY): void {
    this.#operations.sealInto(target, { key: this.#use(), nonce, plaintext, ad });
  }

  open(nonce: Uint8Array, ciphertext: Uint8Array, ad: Uint8Array = EMPTY): Uint8Array {
    return this.#operations.open(this.#use(), nonce, ciphertext, ad);
  }

  openInto(target: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array, ad: Uint8Array = EMPTY): void {
    this.#operations.openInto(target, { key: this.#use(), nonce, ciphertext, ad });
  }

  sealParts(
    nonce: Uint8Array,
    parts: readonly Uint8Array[],
    ad: Uint8Array = EMPTY,
    headroom: number = 0,
  ): Uint8Array[] {
    const message = { parts, length: totalLength(parts), headroom };
    return this.#operations.sealParts(this.#use(), nonce, message, ad);
  }

  createOpener(nonce: Uint8Array, ad: Uint8Array = EMPTY): Opener {
    return this.#operations.createOpener(this.#use(), nonce, ad);
  }

  dispose(): void {
    this.#held?.bytes.fill(0);
    this.#held = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #use(): CipherKey {
    if (this.#held === undefined) throw new CryptoError('DISPOSED', 'the key has been disposed of');
    return this.#held;
  }
}

function checkedOpener(cipher: CipherBackend, key: CipherKey, nonce: Uint8Array, ad: Uint8Array): Opener {
  const opener = cipher.createOpener(key, nonce, ad);
  let finished = false;
  let length = 0;
  const dispose = (): void => {
    if (!finished) opener.dispose();
    finished = true;
  };
  const checkOpen = (): void => {
    if (finished) throw new TypeError('the opener has already been finished');
  };
  return {
    update(chunk) {
      checkOpen();
      assertData('chunk', chunk);
      length += chunk.length;
      if (length > MAX_LENGTH) throw new RangeError(`a ciphertext must have at most ${MAX_LENGTH} bytes`);
      return opener.update(chunk);
    },
    final(tag) {
      checkOpen();
      assertBytes('tag', tag, TAG_LENGTH);
      finished = true;
      if (!opener.final(tag)) throw authenticationFailed();
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

function checkKey(key: Uint8Array): CipherKey {
  assertBytes('key', key, KEY_LENGTH);
  return { bytes: key };
}

function authenticationFailed(): CryptoError {
  return new CryptoError('AUTHENTICATION_FAILED', 'the ciphertext does not authenticate');
}
