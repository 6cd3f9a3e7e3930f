import type { Connection } from '../connection/connection.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { MuxStream } from './mux-stream.ts';

/** What a stream asks of the multiplexer it belongs to. */
export interface StreamOwner {
  readonly connection: Connection;
  readonly maxQueuedBytes: number;
  readonly held: HeldBytes;
  sendNow(stream: MuxStream, data: Uint8Array): number;
  /** Seals what this turn has gathered. */
  flush(): void;
  wait(stream: MuxStream): void;
  sendFin(stream: MuxStream): void;
  sendReset(stream: MuxStream, code: number): void;
  /** Bytes of the stream were handed to its reader: `size` of the credit may go back. */
  onConsumed(stream: MuxStream, size: number): void;
  /** So many more bytes wait for their reader. */
  onUnread(size: number): void;
  /** Both directions are over. */
  onFinished(stream: MuxStream): void;
}
