export {
  type AddressKind,
  type AddressParts,
  formatAddress,
  isAddress,
  MAX_ADDRESS_LENGTH,
  type ParsedAddress,
  parseAddress,
  tryParseAddress,
} from './address.ts';
export {
  type AddAddressOptions,
  type AddressBook,
  type AddressBookOptions,
  type AddressBookStore,
  type AddressEntry,
  type AddressSource,
  createAddressBook,
} from './address-book.ts';
export type { ConnectionLimits, RefusalReason } from './admission.ts';
export type { BackOffOptions } from './back-off.ts';
export type { Bans } from './bans.ts';
export { decodeBody, encodeBody } from './bodies.ts';
export type { ByteConnection, ByteConnectionHandler } from './byte-connection.ts';
export { type Clock, type Random, systemClock } from './clock.ts';
export type { Compressor } from './compressor.ts';
export type { Connection, ConnectionStats, OpenStreamOptions } from './connection.ts';
export {
  type ConnectionManager,
  type ConnectionManagerOptions,
  createConnectionManager,
} from './connection-manager.ts';
export type { DialPolicy } from './dial-order.ts';
export { TransportError, type TransportErrorCode, type TransportErrorOptions } from './errors.ts';
export { FIRST_APPLICATION_CODE, ResetCode } from './frames.ts';
export { formatIp, type IpBytes, type IpScope, ipLimitKeys, ipScope, parseIp } from './ip.ts';
export type { KeepAliveOptions } from './keep-alive.ts';
export type { WireLimits } from './limits.ts';
export {
  createMessageSender,
  type IncomingMessage,
  type MessageOptions,
  type MessageSender,
  receiveMessages,
} from './messages.ts';
export type { RequestOptions } from './request-body.ts';
export { type RequestHandler, type ServeOptions, serveRequests } from './request-server.ts';
export { createRequester, type RequestCallOptions, type Requester } from './requester.ts';
export { createUpgrader, type SecureUpgraderOptions } from './secure-upgrader.ts';
export type { SignalOptions, Stream, StreamSink } from './stream.ts';
export type { ProtocolHandler } from './stream-router.ts';
export { createTimerWheel, type TimerWheel, type TimerWheelOptions, type WheelTimer } from './timer-wheel.ts';
export { createTimers, type Timers, type TimerTarget } from './timers.ts';
export type { DialOptions, Listener, ListenOptions, Transport } from './transport.ts';
export type { OnTransportEvent, TransportEvent } from './transport-event.ts';
export { upgradeInbound, upgradeOutbound } from './upgrade.ts';
export type { OutboundUpgradeOptions, StreamHandler, UpgradeOptions } from './upgrade-options.ts';
export type { OutboundUpgraderOptions, Upgrader, UpgraderOptions } from './upgrader.ts';
