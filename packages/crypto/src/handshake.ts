export type { ChannelKind } from './channel/key-schedule.ts';
export type { ChannelSecrets } from './channel/secrets.ts';
export { createStaticKeyCertificate, type StaticKeyCertificate } from './handshake/certificate.ts';
export { HandshakeError, type HandshakeErrorCode } from './handshake/errors.ts';
export {
  createHandshake,
  HANDSHAKE_TIMEOUT,
  MAX_HANDSHAKE_MESSAGE,
} from './handshake/handshake.ts';
export type { HandshakePatternName } from './handshake/header.ts';
export { MAX_EARLY_DATA, type RecordCipher } from './handshake/offer.ts';
export { CERTIFICATE_SKEW } from './handshake/received-offer.ts';
export type { Resumption } from './handshake/resumption.ts';
export {
  createTicketCache,
  TICKET_LIFETIME,
  type TicketCache,
  type TicketCacheOptions,
} from './handshake/ticket-cache.ts';
export type {
  Handshake,
  HandshakeOptions,
  HandshakeResult,
  HandshakeStep,
  LocalIdentity,
  RemotePeer,
} from './handshake/types.ts';
