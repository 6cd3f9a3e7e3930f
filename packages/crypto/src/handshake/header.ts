import { type HandshakePattern, parsePattern } from '../noise/patterns.ts';

/** Bytes of the header in front of every handshake message (NZ-HANDSHAKE-01 §5.1). */
export const HEADER_LENGTH = 4;

/** The Noise pattern that a message belongs to. */
export type HandshakePatternName = 'XX' | 'IK' | 'XXfallback' | 'NNpsk0';

/** What stands in front of a handshake message, and so in the prologue. */
export interface Header {
  readonly pattern: HandshakePatternName;
  /** A network key is mixed in: as `psk0`, or into the ticket's secret. */
  readonly hasNetworkKey: boolean;
}

const WIRE_VERSION = 1;
const SUITE = 1;
const NETWORK_KEY_FLAG = 1;
const patterns: readonly HandshakePatternName[] = ['XX', 'IK', 'XXfallback', 'NNpsk0'];

/**
 * Layout (NZ-HANDSHAKE-01 §5.1):
 *
 *     wire version = 1 | pattern: 1 XX, 2 IK, 3 XXfallback, 4 NNpsk0 | suite: 1 25519_ChaChaPoly_BLAKE2b | flags: bit 0 network key
 */
export function encodeHeader(header: Header): Uint8Array {
  const flags = header.hasNetworkKey ? NETWORK_KEY_FLAG : 0;
  return Uint8Array.of(WIRE_VERSION, patterns.indexOf(header.pattern) + 1, SUITE, flags);
}

/** Reads a header; undefined when this version of the protocol does not know it. */
export function decodeHeader(message: Uint8Array): Header | undefined {
  if (message.length < HEADER_LENGTH) return undefined;
  const [version, patternByte = 0, suite, flags = 0] = message;
  const pattern = patterns[patternByte - 1];
  if (version !== WIRE_VERSION || suite !== SUITE || !pattern || flags > NETWORK_KEY_FLAG) return undefined;
  return { pattern, hasNetworkKey: flags === NETWORK_KEY_FLAG };
}

/** The Noise protocol that a header selects. */
export interface HeaderProtocol {
  readonly name: string;
  readonly pattern: HandshakePattern;
}

function createProtocol(pattern: HandshakePatternName, hasNetworkKey: boolean): HeaderProtocol {
  const modifier = pattern === 'XXfallback' ? '+psk0' : 'psk0';
  const isModified = hasNetworkKey && pattern !== 'NNpsk0';
  const patternName = `${pattern}${isModified ? modifier : ''}`;
  return { name: `Noise_${patternName}_25519_ChaChaPoly_BLAKE2b`, pattern: parsePattern(patternName) };
}

const protocols = patterns.map(
  (pattern) => [createProtocol(pattern, false), createProtocol(pattern, true)] as const,
);

/** The Noise protocol that a header selects (NZ-HANDSHAKE-01 §3.2). */
export function protocolOf(header: Header): HeaderProtocol {
  return protocols[patterns.indexOf(header.pattern)]![header.hasNetworkKey ? 1 : 0];
}
