import { describe, expect, it } from 'vitest';
import type { Connection } from '../src/connection/connection.ts';
import { createMessageMemory, OWN_SHARE } from '../src/messages/memory-budget.ts';
import { createSharedMemory, type MemoryShare } from '../src/messages/shared-memory.ts';
import { ResetCode } from '../src/mux/frames.ts';
import type { MuxBudget } from '../src/mux/mux-host.ts';
import type { MuxStream } from '../src/mux/mux-stream.ts';
import type { Stream } from '../src/mux/stream.ts';
import { collect, connectPeers } from './connected.ts';
import { createMuxPair } from './mux-pair.ts';
import { until } from './secure-peer.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/** What is watched of a connection's memory from now on. */
function watched({ messageMemory }: Connection): Set<unknown> {
  const all = new Set<unknown>();
  const { watch, unwatch } = messageMemory;
  Object.assign(messageMemory, {
    watch: (one: never) => {
      all.add(one);
      watch(one);
    },
    unwatch: (one: never) => {
      all.delete(one);
      unwatch(one);
    },
  });
  return all;
}

/** Opens a stream whose first bytes nobody reads. */
async function fill(near: Connection, size: number): Promise<Stream> {
  const stream = await near.openStream('/test/1');
  collect(stream);
  stream.write(new Uint8Array(size));
  return stream;
}

describe('what streams hold', () => {
  it('is watched for as long as it counts, and no longer', async () => {
    const sharedMemory = createSharedMemory(8 * MiB);
    await using peers = await connectPeers({ far: { sharedMemory, onStream: () => undefined } });
    const all = watched(peers.far);
    const stream = await fill(peers.near, MiB);
    await until(() => peers.far.stats.unreadBytes === MiB);
    expect(all.size).toBe(1);
    stream.reset();
    await until(() => peers.far.stats.unreadBytes === 0);
    expect([all.size, sharedMemory.used]).toEqual([0, 0]);
    await fill(peers.near, MiB);
    await until(() => all.size === 1);
    peers.far.abort();
    expect([all.size, sharedMemory.used]).toEqual([0, 0]);
  });

  it('is forgotten when the connection ends while somebody gives way to it', async () => {
    const sharedMemory = createSharedMemory(MiB);
    await using peers = await connectPeers({ far: { sharedMemory, onStream: () => undefined } });
    const all = watched(peers.far);
    let asked = 0;
    const hog: MemoryShare = sharedMemory.join({
      shed: () => {
        asked++;
        peers.far.abort();
        hog.give(MiB);
        return true;
      },
    });
    hog.take(MiB);
    await fill(peers.near, MiB);
    await until(() => asked > 0);
    expect([asked, all.size, sharedMemory.used]).toEqual([1, 0, 0]);
  });

  it('counts as before where there is no room for more, and messages find what is left', () => {
    const shared = createSharedMemory(1000);
    const memory = createMessageMemory({ maxMessageBytes: MiB, maxMessageStreams: 1, shared });
    expect([memory.cover(OWN_SHARE + 500), memory.cover(OWN_SHARE + 2000)]).toEqual([true, false]);
    expect([shared.used, memory.used]).toEqual([500, 0]);
    expect([memory.take(100), shared.used, memory.take(401)]).toEqual([true, 600, false]);
    expect([memory.cover(0), shared.used]).toEqual([true, 0]);
    memory.give(100);
    expect([memory.used, shared.used]).toEqual([0, 0]);
  });
});

describe('a stream that is over', () => {
  it.each(['read', 'dropped'])(
    'is forgotten when it has been %s: nothing keeps it in memory',
    async (how) => {
      const pair = createMuxPair();
      const sent = pair.a.mux.openStream('/x');
      sent.write(new Uint8Array(300 * KiB));
      void sent.closeWrite();
      await pair.settle();
      const stream = pair.b.accepted[0] as MuxStream;
      void stream.closeWrite();
      await pair.settle();
      expect([pair.b.mux.streams.size, stream.heldBytes]).toEqual([0, 300 * KiB]);
      let looks = 0;
      Object.defineProperty(stream, 'heldBytes', {
        get: () => {
          looks++;
          return stream.unreadBytes;
        },
      });
      expect(pair.b.mux.held.unfinished).toBe(300 * KiB);
      expect(looks).toBe(1);
      if (how === 'read') expect(collect(stream)).toMatchObject({ bytes: 300 * KiB, isEnded: true });
      else stream.reset();
      looks = 0;
      pair.b.mux.held.evict();
      expect([looks, stream.unreadBytes]).toEqual([0, 0]);
    },
  );
});

describe('a queue', () => {
  const budget = (cover: () => boolean): MuxBudget => ({
    take: () => true,
    give: () => undefined,
    cover,
    isScarce: false,
  });
  /** Streams of the other side on a socket that takes nothing. */
  async function blocked(count: number, cover: () => boolean) {
    const pair = createMuxPair({ budget: budget(cover) });
    for (let i = 0; i < count; i++) pair.a.mux.openStream('/x');
    await pair.settle();
    pair.b.isWritable = false;
    const streams = pair.b.accepted as MuxStream[];
    // The socket says stop behind the first record.
    streams[0]!.write(new Uint8Array(1));
    pair.b.mux.flush();
    return { pair, streams };
  }

  it('that leaves is progress', async () => {
    const { pair, streams } = await blocked(1, () => true);
    const [stream] = streams;
    stream!.write(new Uint8Array(300 * KiB));
    expect([stream!.heldBytes, stream!.moved]).toEqual([300 * KiB, 0]);
    pair.b.isWritable = true;
    pair.b.mux.onDrain();
    await pair.settle();
    expect([stream!.heldBytes, stream!.moved]).toEqual([0, 300 * KiB]);
  });

  it('that there is no room for ends its stream, whose writer is told so at once', async () => {
    const { streams } = await blocked(5, () => false);
    const last = streams[4]!;
    for (const stream of streams.slice(0, 4)) expect(stream.write(new Uint8Array(20 * KiB))).toBe(true);
    // Little enough to go on, but that the largest of them had to go.
    expect(last.write(new Uint8Array(50 * KiB))).toBe(false);
    expect(last.failure).toMatchObject({ code: 'STREAM_RESET', resetCode: ResetCode.memory });
    expect([last.isWaiting, last.queuedBytes]).toEqual([false, 0]);
    expect(streams.slice(0, 4).map(({ failure }) => failure)).toEqual(Array(4).fill(undefined));
  });
});
