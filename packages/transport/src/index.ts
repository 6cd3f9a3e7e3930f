export type { ByteConnection, ByteConnectionHandler } from './byte-connection.ts';
export type { Connection, ConnectionStats, OpenStreamOptions } from './connection.ts';
export { TransportError, type TransportErrorCode, type TransportErrorOptions } from './errors.ts';
export type { WireLimits } from './limits.ts';
export type { SignalOptions, Stream, StreamSink } from './stream.ts';
export { createTimers, type Timers, type TimerTarget } from './timers.ts';
export type { DialOptions, Listener, ListenOptions, Transport } from './transport.ts';
export type { OutboundUpgradeOptions, StreamHandler, UpgradeOptions } from './upgrade-options.ts';
