export type { ChannelKind } from './channel/key-schedule.ts';
export type { ChannelSecrets } from './channel/secrets.ts';
export { createStaticKeyCertificate, type StaticKeyCertificate } from './handshake/certificate.ts';
export { HandshakeError, type HandshakeErrorCode } from './handshake/errors.ts';
export {
  CERTIFICATE_SKEW,
  createHandshake,
  HANDSHAKE_TIMEOUT,
  MAX_HANDSHAKE_MESSAGE,
} from './handshake/handshake.ts';
export type { HandshakePatternName } from './handshake/header.ts';
export { MAX_EARLY_DATA, type RecordCipher } from './handshake/offer.ts';
export type {
  Handshake,
  HandshakeOptions,
  HandshakeResult,
  HandshakeStep,
  LocalIdentity,
  RemotePeer,
} from './handshake/types.ts';
