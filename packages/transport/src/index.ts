export type { ByteConnection, ByteConnectionHandler } from './byte-connection.ts';
export { TransportError, type TransportErrorCode } from './errors.ts';
export type { DialOptions, Listener, ListenOptions, Transport } from './transport.ts';
