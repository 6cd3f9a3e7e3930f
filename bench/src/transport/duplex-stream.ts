import type { Duplex } from 'node:stream';
import { decodeMode, encodeMode, type Mode, type PeerConnection, type PeerStream } from './adapter.ts';

/** What a Node stream and a streamx stream have in common. */
export type DuplexLike = Pick<Duplex, 'on' | 'once' | 'write' | 'end' | 'destroy'>;

/** The dialled end of a duplex that is the connection's only stream. */
export function connectionOverDuplex(duplex: DuplexLike): PeerConnection {
  return {
    async open(mode) {
      const stream = streamOverDuplex(duplex);
      duplex.on('data', (chunk: Uint8Array) => stream.onBytes(chunk.byteLength));
      duplex.write(encodeMode(mode));
      return stream;
    },
    close: () => void duplex.destroy(),
  };
}

/** The accepted end: the first byte that arrives says what to do. */
export function acceptDuplex(duplex: DuplexLike, onStream: (stream: PeerStream, mode: Mode) => void): void {
  const stream = streamOverDuplex(duplex);
  let known = false;
  duplex.on('data', (chunk: Uint8Array) => {
    const skipped = known ? 0 : 1;
    if (!known) onStream(stream, decodeMode(chunk[0]));
    known = true;
    if (chunk.byteLength > skipped) stream.onBytes(chunk.byteLength - skipped);
  });
}

function streamOverDuplex(duplex: DuplexLike): PeerStream {
  const stream: PeerStream = {
    onBytes: () => undefined,
    onEnd: () => undefined,
    write: (data) => duplex.write(data),
    drained: () => new Promise((resolve) => void duplex.once('drain', () => resolve())),
    end: () => void duplex.end(),
  };
  duplex.on('end', () => stream.onEnd());
  // A connection that is dropped at the end of a measurement may break the other side's last write.
  duplex.on('error', () => undefined);
  return stream;
}
