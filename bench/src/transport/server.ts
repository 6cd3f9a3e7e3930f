/** The process that listens: `node server.js <contestant>`. */
import type { Mode, PeerStream } from './adapter.ts';
import { loadAdapter } from './load-adapter.ts';
import { measureMemory, type ServerMessage } from './messages.ts';

const message = new Uint8Array(64).fill(7);

function send(answer: ServerMessage): void {
  // The driver may have gone, with its connections still to be noticed.
  process.send?.(answer, () => undefined);
}

function serveStream(stream: PeerStream, mode: Mode): void {
  let bytes = 0;
  if (mode === 'bulk') {
    stream.onBytes = (count) => {
      bytes += count;
    };
    stream.onEnd = () => {
      send({ kind: 'received', bytes });
      stream.end();
    };
    return;
  }
  // Each 64 bytes are one message and are answered by a write of their own.
  stream.onBytes = (count) => {
    for (bytes += count; bytes >= message.byteLength; bytes -= message.byteLength) stream.write(message);
  };
  stream.onEnd = () => stream.end();
}

const adapter = await loadAdapter(process.argv[2]);
process.on('message', () => send({ kind: 'memory', memory: measureMemory() }));
process.on('disconnect', () => process.exit(0));
send({ kind: 'ready', address: await adapter.serve(serveStream) });
