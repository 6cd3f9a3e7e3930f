import type { BackendOpener } from '../backend.ts';
import { copyBytes, equalBytes } from '../bytes.ts';
import { put, type Scratch, take, takeOutput, useScratch, withData, zero } from './scratch.ts';

// libsodium opens ChaCha20-Poly1305 in one piece only. Pieces need its two halves, composed as RFC 8439 §2.8 says.
const BLOCK = 64;
const POLY_BLOCK = 16;

/** Opens ChaCha20-Poly1305 piece by piece; the key is copied until `final`. */
export function createStreamOpener(keyBytes: Uint8Array, nonce: Uint8Array, ad: Uint8Array): BackendOpener {
  const key = copyBytes(keyBytes);
  const iv = copyBytes(nonce);
  let poly = startAuthenticator(key, iv, ad);
  let length = 0;

  function dispose(): void {
    key.fill(0);
    poly.fill(0);
  }

  function update(chunk: Uint8Array): Uint8Array {
    const area = useScratch();
    const offset = length % BLOCK;
    const plaintext = withData(area, offset + chunk.length, (address) => {
      put(area, address + offset, chunk);
      poly = authenticate(area, poly, address + offset, chunk.length);
      put(area, area.key, key);
      put(area, area.nonce, iv);
      // Block 0 made the authenticator's key (§2.6); bytes before the offset are of the previous piece.
      const block = 1 + Math.floor(length / BLOCK);
      const total = offset + chunk.length;
      area.library._crypto_stream_chacha20_ietf_xor_ic(
        address,
        address,
        total,
        0,
        area.nonce,
        block,
        area.key,
      );
      zero(area, area.key, key.length);
      return take(area, address + offset, chunk.length);
    });
    length += chunk.length;
    return plaintext;
  }

  function final(tag: Uint8Array): boolean {
    const area = useScratch();
    const trailer = withData(area, POLY_BLOCK + 16, (address) => {
      const padding = (POLY_BLOCK - (length % POLY_BLOCK)) % POLY_BLOCK;
      zero(area, address, padding);
      put(area, address + padding, lengths(ad.length, length));
      poly = authenticate(area, poly, address, padding + 16);
      put(area, area.state, poly);
      area.library._crypto_onetimeauth_poly1305_final(area.state, area.output);
      zero(area, area.state, poly.length);
      return takeOutput(area, 16);
    });
    dispose();
    return equalBytes(trailer, tag);
  }

  return { update, final, dispose };
}

/** The authenticator's state after the padded associated data (RFC 8439 §2.6, §2.8). */
function startAuthenticator(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array): Uint8Array {
  const area = useScratch();
  const { library } = area;
  const stateLength = library._crypto_onetimeauth_statebytes();
  const padded = Math.ceil(ad.length / POLY_BLOCK) * POLY_BLOCK;
  return withData(area, BLOCK + padded, (address) => {
    put(area, area.key, key);
    put(area, area.nonce, nonce);
    zero(area, address, BLOCK + padded);
    library._crypto_stream_chacha20_ietf_xor_ic(address, address, BLOCK, 0, area.nonce, 0, area.key);
    library._crypto_onetimeauth_poly1305_init(area.state, address);
    put(area, address + BLOCK, ad);
    library._crypto_onetimeauth_poly1305_update(area.state, address + BLOCK, padded, 0);
    const state = take(area, area.state, stateLength);
    zero(area, area.key, key.length);
    zero(area, area.state, stateLength);
    return state;
  });
}

/** Feeds bytes of the memory to a saved state; the old copy is zeroed. */
function authenticate(area: Scratch, poly: Uint8Array, address: number, length: number): Uint8Array {
  put(area, area.state, poly);
  area.library._crypto_onetimeauth_poly1305_update(area.state, address, length, 0);
  const next = take(area, area.state, poly.length);
  zero(area, area.state, poly.length);
  poly.fill(0);
  return next;
}

/** Both lengths as 64-bit little-endian (RFC 8439 §2.8). */
function lengths(ad: number, ciphertext: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(ad), true);
  view.setBigUint64(8, BigInt(ciphertext), true);
  return bytes;
}
