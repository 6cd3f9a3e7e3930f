import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 as nobleChaCha, xchacha20poly1305 as nobleXChaCha } from '@noble/ciphers/chacha.js';
import { aes256gcm, chacha20poly1305, randomBytes, xchacha20poly1305 } from '@nzcore/crypto';
import sodium from 'libsodium-wrappers-sumo';
import type { Contestant } from '../area.ts';
import { repeat } from './contestant.ts';

/** The ciphers that are compared. */
export type AeadName = 'chacha20poly1305' | 'xchacha20poly1305' | 'aes256gcm';
type Direction = 'seal' | 'open';

const OURS = { chacha20poly1305, xchacha20poly1305, aes256gcm } as const;
const NOBLE = { chacha20poly1305: nobleChaCha, xchacha20poly1305: nobleXChaCha, aes256gcm: gcm } as const;
const ad = new Uint8Array(12);

/** Ours, and whoever else has the cipher. */
export function aeadContestants(name: AeadName, direction: Direction, length: number): Contestant[] {
  const key = randomBytes(32);
  const nonce = new Uint8Array(name === 'xchacha20poly1305' ? 24 : 12);
  const message = randomBytes(length);
  const sealed = NOBLE[name](key, nonce, ad).encrypt(message);
  const inputs = { key, nonce, message, sealed };
  const contestants = [ours(name, direction, inputs), noble(name, direction, inputs)];
  if (name !== 'xchacha20poly1305') contestants.push(node(name, direction, inputs));
  if (name !== 'aes256gcm') contestants.push(libsodium(name, direction, inputs));
  return contestants;
}

interface Inputs {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly message: Uint8Array;
  readonly sealed: Uint8Array;
}

function ours(name: AeadName, direction: Direction, { key, nonce, message, sealed }: Inputs): Contestant {
  return repeat('ours', () => {
    const imported = OURS[name].importKey(key);
    return direction === 'seal'
      ? () => imported.seal(nonce, message, ad)
      : () => imported.open(nonce, sealed, ad);
  });
}

function noble(name: AeadName, direction: Direction, { key, nonce, message, sealed }: Inputs): Contestant {
  return repeat('noble', () =>
    direction === 'seal'
      ? () => NOBLE[name](key, nonce, ad).encrypt(message)
      : () => NOBLE[name](key, nonce, ad).decrypt(sealed),
  );
}

function libsodium(
  name: 'chacha20poly1305' | 'xchacha20poly1305',
  direction: Direction,
  { key, nonce, message, sealed }: Inputs,
): Contestant {
  return repeat('libsodium', () => {
    if (direction === 'seal') {
      return () => sodium[`crypto_aead_${name}_ietf_encrypt`](message, ad, null, nonce, key);
    }
    return () => sodium[`crypto_aead_${name}_ietf_decrypt`](null, sealed, ad, nonce, key);
  });
}

/** Memory of its own, by whichever way is the faster for its length. */
function allocate(length: number): Uint8Array {
  return length < 4096 ? new Uint8Array(length) : Buffer.allocUnsafeSlow(length);
}

function node(
  name: 'chacha20poly1305' | 'aes256gcm',
  direction: Direction,
  { key, nonce, message, sealed }: Inputs,
): Contestant {
  // The two names have the same signatures, in overloads that a union does not match.
  const cipherName = (name === 'aes256gcm' ? 'aes-256-gcm' : 'chacha20-poly1305') as 'aes-256-gcm';
  const keyObject: KeyObject = createSecretKey(key);
  const options = { authTagLength: 16 };
  return repeat('node', () => {
    if (direction === 'seal') {
      return () => {
        const cipher = createCipheriv(cipherName, keyObject, nonce, options);
        cipher.setAAD(ad);
        // Not Buffer.concat, whose result is below 4 KiB a view of a pool that others share: everybody else's can be transferred and
        // keeps no more than itself alive.
        const result = allocate(message.length + 16);
        result.set(cipher.update(message));
        cipher.final();
        result.set(cipher.getAuthTag(), message.length);
        return result;
      };
    }
    return () => {
      const decipher = createDecipheriv(cipherName, keyObject, nonce, options);
      decipher.setAAD(ad);
      decipher.setAuthTag(sealed.subarray(-16));
      const plaintext = decipher.update(sealed.subarray(0, -16));
      decipher.final();
      return plaintext;
    };
  });
}
