/** What the other end of a stream does: count bytes until the end, answer 64 bytes when 64 came, or do so for each message. */
export type Mode = 'bulk' | 'echo' | 'pipelined';

/** A flow of bytes as every contestant has one. Only lengths are looked at, so that nobody has to copy. */
export interface PeerStream {
  /** Bytes arrived. */
  onBytes: (count: number) => void;
  /** The other side will send no more. */
  onEnd: () => void;
  /** @returns false when the caller should wait for `drained`. */
  write(data: Uint8Array): boolean;
  drained(): Promise<void>;
  /** Ends the writing side. */
  end(): void;
}

/** A connection that was dialled. */
export interface PeerConnection {
  /** Opens a stream; without multiplexing the connection's only one. */
  open(mode: Mode): Promise<PeerStream>;
  /** Drops the connection. */
  close(): void;
}

/** The dialling side. */
export interface PeerClient {
  dial(): Promise<PeerConnection>;
}

/** A contestant's library behind the few calls that the measurements need. */
export interface Adapter {
  /** Listens on loopback and hands over every stream. @returns the address as text, for `connect`. */
  serve(onStream: (stream: PeerStream, mode: Mode) => void): Promise<string>;
  connect(address: string): Promise<PeerClient>;
  /** Listens as a user's program would, where `serve` starts more than that (a network around it). @defaultValue `serve` */
  listen?(): Promise<void>;
}

const modes: Readonly<Record<Mode, number>> = { bulk: 0x42, echo: 0x45, pipelined: 0x50 };

/** Without multiplexing, the first byte of a connection says its mode. */
export function encodeMode(mode: Mode): Buffer {
  return Buffer.of(modes[mode]);
}

/** @throws Error when it is not a byte that {@link encodeMode} makes. */
export function decodeMode(byte: number | undefined): Mode {
  const mode = (Object.keys(modes) as Mode[]).find((name) => modes[name] === byte);
  if (mode === undefined) throw new Error(`no mode has the byte ${byte}`);
  return mode;
}
