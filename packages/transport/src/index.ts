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
export type { ByteConnection, ByteConnectionHandler } from './byte-connection.ts';
export { type Clock, type Random, systemClock } from './clock.ts';
export type { Connection, ConnectionStats, OpenStreamOptions } from './connection.ts';
export { TransportError, type TransportErrorCode, type TransportErrorOptions } from './errors.ts';
export { formatIp, type IpBytes, type IpScope, ipLimitKeys, ipScope, parseIp } from './ip.ts';
export type { WireLimits } from './limits.ts';
export type { SignalOptions, Stream, StreamSink } from './stream.ts';
export { createTimerWheel, type TimerWheel, type TimerWheelOptions, type WheelTimer } from './timer-wheel.ts';
export { createTimers, type Timers, type TimerTarget } from './timers.ts';
export type { DialOptions, Listener, ListenOptions, Transport } from './transport.ts';
export type { OutboundUpgradeOptions, StreamHandler, UpgradeOptions } from './upgrade-options.ts';
