import { ed25519, type KeyPair, randomBytes, SecretBytes, wipe, x25519 } from '@nzcore/crypto';
import {
  createStaticKeyCertificate,
  type LocalIdentity,
  type StaticKeyCertificate,
} from '@nzcore/crypto/handshake';
import { type BoxOptions, boxFrom, type OpenedBox, openBox } from './box.ts';
import { toHex } from './bytes.ts';
import { signedBytes } from './domain.ts';
import { IdentityError } from './errors.ts';
import { deriveKey, MAX_SEED_LENGTH, MIN_SEED_LENGTH } from './key-schedule.ts';
import { type PeerId, peerIdFromPublicKey } from './peer-id.ts';

// How long a stolen static key can be used by a thief who sees no newer certificate; a week leaves room for clocks that
// are days wrong. A certificate is renewed at half its life, so the one shown is always good for half a week.
const CERTIFICATE_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;

const STORAGE_NAMESPACE_LENGTH = 16;

/** A peer that this process can speak for. Dispose it to zero its keys; every call then throws `DISPOSED`. */
export interface Identity extends Disposable {
  /** The name of the peer. */
  readonly peerId: PeerId;
  /** Ed25519, 32 bytes; the caller may keep it but not change it. */
  readonly publicKey: Uint8Array;
  /** X25519 static key of the handshake, 32 bytes; the caller may keep it but not change it. */
  readonly keyAgreementPublicKey: Uint8Array;
  /**
   * Signs `domain || 0x00 || bytes` with Ed25519; 64 bytes.
   *
   * @throws RangeError when the domain is malformed or reserved, IdentityError `DISPOSED`
   */
  sign(domain: string, bytes: Uint8Array): Uint8Array;
  /**
   * What the handshake needs. The certificate is cached and renewed at half its life.
   *
   * @param now - milliseconds since the epoch
   * @throws IdentityError `DISPOSED`
   */
  handshakeIdentity(now: number): LocalIdentity;
  /**
   * Seals a message that only `recipient` can open and that proves to it who sealed it. Adds 130 bytes. `box` of the
   * package does the same without a sender.
   *
   * @throws IdentityError `INVALID_PEER_ID` when the recipient's key is not a usable curve point, `DISPOSED`
   */
  box(recipient: PeerId, message: Uint8Array, options?: BoxOptions): Uint8Array;
  /**
   * Opens a box for this peer, anonymous or not.
   *
   * @throws IdentityError `INVALID_BOX` for anything else, `DISPOSED`
   */
  open(sealed: Uint8Array, options?: BoxOptions): OpenedBox;
  /** The key that encrypts this peer's storage, 32 bytes; a copy that the caller disposes. */
  storageKey(): SecretBytes;
  /** Names this peer's part of a shared store: 32 hexadecimal digits that stay when the keys are rotated. */
  readonly storageNamespace: string;
}

/** Which of a seed's key generations to use. */
export interface IdentityOptions {
  /**
   * 0 for the first keys of a seed, 1 after the first rotation, and so on.
   * @defaultValue 0
   */
  readonly generation?: number;
}

/**
 * The identity of a seed of 32 to 64 bytes, for instance the 64 bytes of BIP-39. The seed is only read: the caller
 * keeps it and wipes it.
 *
 * @throws RangeError when the seed is shorter or longer
 */
export function identityFromSeed(seed: Uint8Array, { generation = 0 }: IdentityOptions = {}): Identity {
  if (!(seed instanceof Uint8Array) || seed.length < MIN_SEED_LENGTH || seed.length > MAX_SEED_LENGTH) {
    throw new RangeError(`a seed has ${MIN_SEED_LENGTH} to ${MAX_SEED_LENGTH} bytes`);
  }
  assertGeneration(generation);
  return new SeedIdentity(seed, generation);
}

/** @throws RangeError when it is not an integer from 0 to 65535 */
export function assertGeneration(generation: number): void {
  if (!Number.isInteger(generation) || generation < 0 || generation > 0xffff) {
    throw new RangeError('a key generation is an integer from 0 to 65535');
  }
}

/** A peer with fresh random keys that nothing can bring back once it is disposed. */
export function createIdentity(): Identity {
  const seed = randomBytes(MAX_SEED_LENGTH);
  try {
    return identityFromSeed(seed);
  } finally {
    wipe(seed);
  }
}

class SeedIdentity implements Identity {
  readonly peerId: PeerId;
  readonly publicKey: Uint8Array;
  readonly keyAgreementPublicKey: Uint8Array;
  readonly storageNamespace: string;
  readonly #signingKey: SecretBytes;
  readonly #staticSecretKey: Uint8Array;
  readonly #storageKey: SecretBytes;
  #certificate: StaticKeyCertificate | undefined;
  #disposed = false;

  constructor(seed: Uint8Array, generation: number) {
    this.#signingKey = SecretBytes.from(deriveKey(seed, 'identity', generation));
    this.#staticSecretKey = deriveKey(seed, 'key-agreement', generation);
    // Not by generation: what a peer has stored outlives a rotation of its name.
    this.#storageKey = SecretBytes.from(deriveKey(seed, 'storage'));
    this.storageNamespace = toHex(deriveKey(seed, 'storage-namespace').subarray(0, STORAGE_NAMESPACE_LENGTH));
    this.publicKey = this.#signingKey.use(publicKeyOf);
    this.keyAgreementPublicKey = x25519.publicKey(this.#staticSecretKey);
    this.peerId = peerIdFromPublicKey(this.publicKey);
  }

  sign(domain: string, bytes: Uint8Array): Uint8Array {
    this.#assertUsable();
    return this.#signRaw(signedBytes(domain, bytes));
  }

  handshakeIdentity(now: number): LocalIdentity {
    this.#assertUsable();
    return {
      publicKey: this.publicKey,
      staticKeyPair: { publicKey: this.keyAgreementPublicKey, secretKey: this.#staticSecretKey },
      certificate: this.#currentCertificate(now),
    };
  }

  box(recipient: PeerId, message: Uint8Array, options: BoxOptions = {}): Uint8Array {
    return this.#withKeyPair((keyPair) => boxFrom(keyPair, recipient, { ...options, message }));
  }

  open(sealed: Uint8Array, options?: BoxOptions): OpenedBox {
    return this.#withKeyPair((keyPair) => openBox(keyPair, sealed, options));
  }

  storageKey(): SecretBytes {
    this.#assertUsable();
    return this.#storageKey.clone();
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#signingKey.dispose();
    this.#storageKey.dispose();
    wipe(this.#staticSecretKey);
  }

  #withKeyPair<T>(action: (keyPair: KeyPair) => T): T {
    this.#assertUsable();
    return this.#signingKey.use((secretKey) => action({ publicKey: this.publicKey, secretKey }));
  }

  #signRaw(bytes: Uint8Array): Uint8Array {
    return this.#signingKey.use((secretKey) => ed25519.sign(bytes, secretKey));
  }

  #currentCertificate(now: number): StaticKeyCertificate {
    const life = this.#certificate === undefined ? 0 : this.#certificate.expiresAt - now;
    // Longer than a whole life: the clock was set back, and a peer would refuse what is valid for too long.
    if (
      this.#certificate === undefined ||
      life < CERTIFICATE_LIFETIME_MS / 2 ||
      life > CERTIFICATE_LIFETIME_MS
    ) {
      this.#certificate = createStaticKeyCertificate(
        (bytes) => this.#signRaw(bytes),
        this.keyAgreementPublicKey,
        now + CERTIFICATE_LIFETIME_MS,
      );
    }
    return this.#certificate;
  }

  #assertUsable(): void {
    if (this.#disposed) throw new IdentityError('DISPOSED', 'the identity has been disposed');
  }
}

/** The public key of a signing key, without a copy of the latter. */
function publicKeyOf(secretKey: Uint8Array): Uint8Array {
  const keyPair = ed25519.keyPairFromSeed(secretKey);
  wipe(keyPair.secretKey);
  return keyPair.publicKey;
}
