import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';
import { ed25519 as nobleEd25519, x25519 as nobleX25519 } from '@noble/curves/ed25519.js';
import { ed25519, randomBytes, x25519 } from '@nzcore/crypto';
import sodium from 'libsodium-wrappers-sumo';
import type { Contestant } from '../area.ts';
import { repeat } from './contestant.ts';

const message = randomBytes(64);

/** Ed25519 over 64 bytes, keys imported. */
export function signatureContestants(operation: 'sign' | 'verify' | 'generate'): Contestant[] {
  const { publicKey, secretKey } = ed25519.keyPairFromSeed(randomBytes(32));
  const signature = ed25519.sign(message, secretKey);
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '', d: Buffer.from(secretKey).toString('base64url') };
  const nodeSecret = createPrivateKey({ key: jwk, format: 'jwk' });
  const nodePublic = createPublicKey(nodeSecret);
  const expanded = new Uint8Array([...secretKey, ...publicKey]);
  const calls = {
    sign: {
      ours: () => ed25519.sign(message, secretKey),
      node: () => sign(null, message, nodeSecret),
      libsodium: () => sodium.crypto_sign_detached(message, expanded),
      noble: () => nobleEd25519.sign(message, secretKey),
    },
    verify: {
      ours: () => ed25519.verify(signature, message, publicKey),
      node: () => verify(null, message, nodePublic, signature),
      libsodium: () => sodium.crypto_sign_verify_detached(signature, message, publicKey),
      noble: () => nobleEd25519.verify(signature, message, publicKey),
    },
    generate: {
      ours: () => ed25519.generateKeyPair(),
      // As raw bytes, as the others give them.
      node: () => generateKeyPairSync('ed25519', DER),
      libsodium: () => sodium.crypto_sign_keypair(),
      noble: () => nobleEd25519.keygen(),
    },
  } as const;
  return contestants(calls[operation]);
}

/** X25519, keys imported. */
export function agreementContestants(operation: 'shared' | 'generate'): Contestant[] {
  const ours = x25519.generateKeyPair();
  const theirs = x25519.generateKeyPair();
  const jwk = { kty: 'OKP', crv: 'X25519', x: '', d: Buffer.from(ours.secretKey).toString('base64url') };
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  const x = Buffer.from(theirs.publicKey).toString('base64url');
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
  const calls = {
    shared: {
      ours: () => x25519.sharedSecret(ours.secretKey, theirs.publicKey),
      node: () => diffieHellman({ privateKey, publicKey }),
      libsodium: () => sodium.crypto_scalarmult(ours.secretKey, theirs.publicKey),
      noble: () => nobleX25519.getSharedSecret(ours.secretKey, theirs.publicKey),
    },
    generate: {
      ours: () => x25519.generateKeyPair(),
      node: () => generateKeyPairSync('x25519', DER),
      libsodium: () => sodium.crypto_box_keypair(),
      noble: () => nobleX25519.keygen(),
    },
  } as const;
  return contestants(calls[operation]);
}

const DER = {
  publicKeyEncoding: { format: 'der', type: 'spki' },
  privateKeyEncoding: { format: 'der', type: 'pkcs8' },
} as const;

function contestants(
  calls: Readonly<Record<'ours' | 'node' | 'libsodium' | 'noble', () => unknown>>,
): Contestant[] {
  return (['ours', 'node', 'libsodium', 'noble'] as const).map((name) => repeat(name, () => calls[name]));
}
