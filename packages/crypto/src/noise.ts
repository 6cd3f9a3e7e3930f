export { CipherState, MAX_MESSAGE_LENGTH } from './noise/cipher-state.ts';
export { NoiseError, type NoiseErrorCode } from './noise/errors.ts';
export type { HandshakeKeys, HandshakeOutput } from './noise/handshake-keys.ts';
export { HandshakeState } from './noise/handshake-state.ts';
export {
  type HandshakePattern,
  type MessagePattern,
  parsePattern,
  patternNames,
  type Role,
  type Token,
} from './noise/patterns.ts';
export {
  createCipherState,
  createNoiseHandshake,
  type NoiseHandshakeOptions,
  type NoiseProtocol,
  parseProtocolName,
} from './noise/protocol.ts';
export type { CipherName, CipherSuite, HashFunction, HashName } from './noise/suite.ts';
