import { ready } from '@nzcore/crypto';
import { beforeAll, expect, it } from 'vitest';
import type { ByteConnection } from '../src/byte-connection.ts';
import { createMemoryPair } from '../src/memory.ts';
import { connectPeers } from './connected.ts';
import { until } from './secure-peer.ts';

beforeAll(ready);

const sink = { onData() {}, onEnd() {}, onReset() {} };
const message = (index: number): Uint8Array => Uint8Array.from({ length: 64 }, (_, at) => index + at);

it.each(['a sink', 'an iterator', 'one that read late'])(
  'small bytes given to %s are its own',
  async (who) => {
    const kept: Uint8Array[] = [];
    let hasEnded = false;
    await using peers = await connectPeers({
      far: {
        onStream: (stream) => {
          if (who === 'a sink')
            stream.receive({
              onData: (bytes) => void kept.push(bytes),
              onEnd: () => (hasEnded = true),
              onReset() {},
            });
          else
            setTimeout(
              async () => {
                for await (const bytes of stream) kept.push(bytes);
                hasEnded = true;
              },
              who === 'an iterator' ? 0 : 50,
            );
        },
      },
    });
    const stream = await peers.near.openStream('/kept/1');
    for (let index = 0; index < 200; index++) {
      stream.write(message(index));
      // A record of its own.
      await new Promise(setImmediate);
    }
    await stream.closeWrite();
    await until(() => hasEnded);
    expect(Buffer.concat(kept)).toEqual(
      Buffer.concat(Array.from({ length: 200 }, (_, index) => message(index))),
    );
    // What somebody keeps for long keeps no memory of other peers with it.
    // Unread pieces are gathered.
    const isGathered = who !== 'a sink';
    if (!isGathered)
      for (const bytes of kept) expect(bytes.buffer.byteLength).toBeLessThan(2 * bytes.length + 64);
  },
);

it.each([0, 1, undefined])(
  'records that wait behind %s bytes in a socket keep no memory but their own',
  async (heldBytes) => {
    const [near, far] = createMemoryPair();
    const written: Uint8Array[] = [];
    const watched: ByteConnection = {
      localAddress: near.localAddress,
      remoteAddress: near.remoteAddress,
      ...(heldBytes === undefined ? {} : { heldBytes }),
      start: (handler) => near.start(handler),
      write: (chunks) => {
        written.push(...chunks);
        return near.write(chunks);
      },
      pause: () => near.pause(),
      resume: () => near.resume(),
      end: () => near.end(),
      destroy: (error) => near.destroy(error),
    };
    await using peers = await connectPeers({
      bytes: [watched, far],
      far: { onStream: (stream) => stream.receive(sink) },
    });
    const stream = await peers.near.openStream('/kept/1');
    written.length = 0;
    for (let index = 0; index < 20; index++) {
      stream.write(message(index));
      await new Promise(setImmediate);
    }
    expect(written.length).toBeGreaterThan(10);
    const isShared = (bytes: Uint8Array): boolean => bytes.buffer.byteLength > 2 * bytes.length;
    expect(written.some(isShared)).toBe(heldBytes === 0);
  },
);
