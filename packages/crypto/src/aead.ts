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

  function open(key: CipherKey, nonce: Uint8Array, ciphertext: Uint8Array, ad: Uint8Array): Uint8Array {
    checkNonce(nonce, ad);
    assertData('ciphertext', ciphertext);
    if (ciphertext.length < TAG_LENGTH) throw authenticationFailed();
    const plaintext = choose(ciphertext.length - TAG_LENGTH).open(key, nonce, ciphertext, ad);
    if (plaintext === undefined) throw authenticationFailed();
    return plaintext;
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

  const operations: KeyedOperations = { seal, open, sealParts, createOpener };
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

interface KeyedOperations {
  seal(key: CipherKey, nonce: Uint8Array, plaintext: Uint8Array, ad: Uint8Array): Uint8Array;
  open(key: CipherKey, nonce: Uint8Array, ciphertext: Uint8Array, ad: Uint8Array): Uint8Array;
  sealParts(key: CipherKey, nonce: Uint8Array, message: Parts, ad: Uint8Array): Uint8Array[];
  createOpener(key: CipherKey, nonce: Uint8Array, ad: Uint8Array): Opener;
}

function bindKey(given: CipherKey, operations: KeyedOperations): AeadKey {
  let held: CipherKey | undefined = { bytes: copyBytes(given.bytes) };
  const use = (): CipherKey => {
    if (held === undefined) throw new CryptoError('DISPOSED', 'the key has been disposed of');
    return held;
  };
  const dispose = (): void => {
    held?.bytes.fill(0);
    held = undefined;
  };
  return {
    seal: (nonce, plaintext, ad = EMPTY) => operations.seal(use(), nonce, plaintext, ad),
    open: (nonce, ciphertext, ad = EMPTY) => operations.open(use(), nonce, ciphertext, ad),
    sealParts: (nonce, parts, ad = EMPTY, headroom = 0) =>
      operations.sealParts(use(), nonce, { parts, length: totalLength(parts), headroom }, ad),
    createOpener: (nonce, ad = EMPTY) => operations.createOpener(use(), nonce, ad),
    dispose,
    [Symbol.dispose]: dispose,
  };
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
