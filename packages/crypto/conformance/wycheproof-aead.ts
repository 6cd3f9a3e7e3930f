import type { Aead, Primitives } from '../src/index.ts';
import { expectRefusal, expectSame, verdictOf } from './expectation.ts';
import { bytesField, type Fields, numberField } from './outcome.ts';
import type { Check } from './wycheproof.ts';

const OFFERED: ReadonlyMap<string, (primitives: Primitives) => Aead> = new Map([
  ['CHACHA20-POLY1305', (primitives) => primitives.chacha20poly1305],
  ['XCHACHA20-POLY1305', (primitives) => primitives.xchacha20poly1305],
  ['AES-GCM', (primitives) => primitives.aes256gcm],
]);

/** What is not offered of a group: the cipher, its key or tag size, or a nonce size that others allow. */
export function nameOfUnofferedAead(
  name: string,
  group: Fields,
  tests: readonly Fields[],
): string | undefined {
  if (!OFFERED.has(name)) return name;
  const keySize = numberField(group, 'keySize');
  const tagSize = numberField(group, 'tagSize');
  const ivSize = numberField(group, 'ivSize');
  if (keySize !== 256) return `${name} with ${keySize}-bit keys`;
  if (tagSize !== 128) return `${name} with ${tagSize}-bit tags`;
  const isOffered = ivSize === (name === 'XCHACHA20-POLY1305' ? 192 : 96);
  // Sizes of which every vector is invalid are for us to refuse.
  if (!isOffered && tests.some((test) => verdictOf(test) !== 'invalid')) {
    return `${name} with ${ivSize}-bit nonces`;
  }
  return undefined;
}

/** Seals and opens, whole and in pieces. */
export function checkAead(name: string): Check {
  return (primitives, _group, test) => {
    const aead = OFFERED.get(name)!(primitives);
    const fields = {
      key: bytesField(test, 'key'),
      nonce: bytesField(test, 'iv'),
      ad: bytesField(test, 'aad'),
      message: bytesField(test, 'msg'),
      ciphertext: bytesField(test, 'ct'),
      tag: bytesField(test, 'tag'),
    };
    const sealed = Buffer.concat([fields.ciphertext, fields.tag]);
    if (verdictOf(test) === 'valid') expectBoth(aead, { ...fields, sealed });
    else if (fields.nonce.length !== aead.nonceLength) expectNonceRefused(aead, { ...fields, sealed });
    else expectTagRefused(aead, { ...fields, sealed });
  };
}

interface AeadFields {
  key: Uint8Array;
  nonce: Uint8Array;
  ad: Uint8Array;
  message: Uint8Array;
  ciphertext: Uint8Array;
  tag: Uint8Array;
  sealed: Uint8Array;
}

function expectBoth(aead: Aead, fields: AeadFields): void {
  const { key, nonce, ad, message, ciphertext, tag, sealed } = fields;
  expectSame('the sealed message', aead.seal(key, nonce, message, ad), sealed);
  expectSame('the opened message', aead.open(key, nonce, sealed, ad), message);
  using imported = aead.importKey(key);
  const middle = message.length >> 1;
  const parts = [message.subarray(0, middle), message.subarray(middle)];
  expectSame('the message sealed in parts', Buffer.concat(imported.sealParts(nonce, parts, ad)), sealed);
  const opener = imported.createOpener(nonce, ad);
  const pieces = [opener.update(ciphertext.subarray(0, middle)), opener.update(ciphertext.subarray(middle))];
  opener.final(tag);
  expectSame('the message opened in pieces', Buffer.concat(pieces), message);
}

function expectTagRefused(aead: Aead, { key, nonce, ad, ciphertext, tag, sealed }: AeadFields): void {
  expectRefusal(() => aead.open(key, nonce, sealed, ad), 'AUTHENTICATION_FAILED');
  using imported = aead.importKey(key);
  const opener = imported.createOpener(nonce, ad);
  opener.update(ciphertext);
  expectRefusal(() => opener.final(tag), 'AUTHENTICATION_FAILED');
}

function expectNonceRefused(aead: Aead, { key, nonce, ad, message, sealed }: AeadFields): void {
  expectRefusal(() => aead.seal(key, nonce, message, ad), 'RangeError');
  expectRefusal(() => aead.open(key, nonce, sealed, ad), 'RangeError');
}
