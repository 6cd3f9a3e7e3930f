export {
  type AddressKind,
  type AddressParts,
  formatAddress,
  isAddress,
  MAX_ADDRESS_LENGTH,
  type ParsedAddress,
  parseAddress,
  tryParseAddress,
} from './address/address.ts';
export {
  type AddAddressOptions,
  type AddressBook,
  type AddressBookOptions,
  type AddressBookStore,
  type AddressEntry,
  type AddressSource,
  createAddressBook,
} from './address/address-book.ts';
export { formatIp, type IpBytes, type IpScope, ipLimitKeys, ipScope, parseIp } from './address/ip.ts';
export type { Reach } from './address/reach.ts';
export type { ByteConnection, ByteConnectionHandler } from './byte-connection.ts';
export type { Connection, ConnectionStats, OpenStreamOptions } from './connection/connection.ts';
export { createUpgrader, type SecureUpgraderOptions } from './connection/secure-upgrader.ts';
export { upgradeInbound, upgradeOutbound } from './connection/upgrade.ts';
export type { OutboundUpgradeOptions, StreamHandler, UpgradeOptions } from './connection/upgrade-options.ts';
export type { OutboundUpgraderOptions, Upgrader, UpgraderOptions } from './connection/upgrader.ts';
export { TransportError, type TransportErrorCode, type TransportErrorOptions } from './errors.ts';
export type { ConnectionLimits, RefusalReason } from './manager/admission.ts';
export type { BackOffOptions } from './manager/back-off.ts';
export type { Bans } from './manager/bans.ts';
export {
  type ConnectionManager,
  type ConnectionManagerOptions,
  createConnectionManager,
} from './manager/connection-manager.ts';
export type { DialPolicy } from './manager/dial-order.ts';
export type { KeepAliveOptions } from './manager/keep-alive.ts';
export { listenOnFirstFree } from './manager/listen-on-first-free.ts';
export type { ProtocolHandler } from './manager/stream-router.ts';
export type { OnTransportEvent, TransportEvent } from './manager/transport-event.ts';
export { decodeBody, encodeBody } from './messages/bodies.ts';
export type { Compressor } from './messages/compressor.ts';
export type { HeldMemory, Line, MemoryBudget, MessageMemory } from './messages/memory-budget.ts';
export {
  createMessageSender,
  type IncomingMessage,
  type MessageOptions,
  type MessageSender,
  receiveMessages,
} from './messages/messages.ts';
export {
  createMessenger,
  MESSAGE_PROTOCOL,
  type MessageHandler,
  type Messenger,
  type MessengerOptions,
  type ReceivedMessage,
} from './messages/messenger.ts';
export type { RequestOptions } from './messages/request-body.ts';
export type { RequestContext } from './messages/request-context.ts';
export { type RequestHandler, type ServeOptions, serveRequests } from './messages/request-server.ts';
export { createRequester, type RequestCallOptions, type Requester } from './messages/requester.ts';
export {
  createSharedMemory,
  type MemoryHolder,
  type MemoryShare,
  type SharedMemory,
} from './messages/shared-memory.ts';
export { FIRST_APPLICATION_CODE, ResetCode } from './mux/frames.ts';
export type { WireLimits } from './mux/limits.ts';
export type { SignalOptions, Stream, StreamSink } from './mux/stream.ts';
export { type Clock, type Random, systemClock } from './time/clock.ts';
export {
  createTimerWheel,
  type TimerWheel,
  type TimerWheelOptions,
  type WheelTimer,
} from './time/timer-wheel.ts';
export { createTimers, type Timers, type TimerTarget } from './time/timers.ts';
export type { DialOptions, Listener, ListenOptions, Transport } from './transport.ts';
