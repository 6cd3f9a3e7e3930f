import { primitives as defaultPrimitives } from '../default-primitives.ts';
import type { Primitives } from '../primitives.ts';
import { blake2sHash } from './blake2s.ts';
import { CipherState } from './cipher-state.ts';
import type { HandshakeKeys } from './handshake-keys.ts';
import { HandshakeState } from './handshake-state.ts';
import { type HandshakePattern, parsePattern, type Role } from './patterns.ts';
import {
  type CipherName,
  type CipherSuite,
  createSuite,
  type HashName,
  isNativeHash,
  nativeHash,
} from './suite.ts';

/** A parsed protocol name such as `Noise_XXpsk3_25519_ChaChaPoly_BLAKE2b` (Noise §8). */
export interface NoiseProtocol {
  /** The name as it was given; it starts the transcript. */
  readonly name: string;
  readonly pattern: HandshakePattern;
  readonly cipher: CipherName;
  readonly hash: HashName;
}

/** Options of {@link createNoiseHandshake}. */
export interface NoiseHandshakeOptions extends HandshakeKeys {
  /** Such as `Noise_XX_25519_ChaChaPoly_BLAKE2b`. */
  readonly protocolName: string;
  readonly role: Role;
  /** @defaultValue the best backend of this runtime */
  readonly primitives?: Primitives;
}

/**
 * Reads a protocol name (Noise §8).
 * @throws TypeError when the engine does not offer it.
 */
export function parseProtocolName(name: string): NoiseProtocol {
  const [prefix, pattern = '', dh, cipher, hash, ...rest] = name.split('_');
  const isKnown =
    prefix === 'Noise' &&
    dh === '25519' &&
    (cipher === 'ChaChaPoly' || cipher === 'AESGCM') &&
    hash !== undefined &&
    (hash === 'BLAKE2s' || isNativeHash(hash)) &&
    rest.length === 0;
  if (!isKnown) throw new TypeError(`this engine does not offer ${JSON.stringify(name)}`);
  return { name, pattern: parsePattern(pattern), cipher, hash };
}

function suiteOf(protocol: NoiseProtocol, primitives: Primitives): CipherSuite {
  const hash = protocol.hash === 'BLAKE2s' ? blake2sHash : nativeHash(protocol.hash, primitives);
  return createSuite(protocol.cipher, hash, primitives);
}

/**
 * Starts a Noise handshake (revision 34).
 * @throws TypeError for an unknown protocol name, or when a key that the pattern needs is missing; RangeError for a wrong length.
 */
export function createNoiseHandshake(options: NoiseHandshakeOptions): HandshakeState {
  const { protocolName, role, primitives = defaultPrimitives, ...keys } = options;
  const protocol = parseProtocolName(protocolName);
  return new HandshakeState(suiteOf(protocol, primitives), protocol.pattern, protocolName, role, keys);
}

/**
 * Makes a cipher state for transport messages from a key of {@link HandshakeState.split}.
 * @param key - 32 bytes; owned from now on.
 */
export function createCipherState(cipher: CipherName, key: Uint8Array, primitives?: Primitives): CipherState {
  const backend = primitives ?? defaultPrimitives;
  return new CipherState(createSuite(cipher, nativeHash('SHA256', backend), backend), key);
}
