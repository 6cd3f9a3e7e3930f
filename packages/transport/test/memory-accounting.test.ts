import { describe, expect, it } from 'vitest';
import { createMessageMemory, type MessageMemory, OWN_SHARE } from '../src/messages/memory-budget.ts';
import { MemoryHold } from '../src/messages/memory-hold.ts';
import { encodeMessageHeader, MessageKind } from '../src/messages/message-frames.ts';
import { serveRequests } from '../src/messages/request-server.ts';
import { createSharedMemory, type MemoryShare } from '../src/messages/shared-memory.ts';
import { ResetCode } from '../src/mux/frames.ts';
import type { Stream } from '../src/mux/stream.ts';
import { connectPeers } from './connected.ts';
import { until } from './secure-peer.ts';

const KiB = 1024;

describe('what a handler works on', () => {
  const request = (size: number): Uint8Array => {
    const bytes = new Uint8Array(8 + size);
    const kind = MessageKind.request;
    encodeMessageHeader(bytes, { kind, id: 1, length: size, hasMore: false, isCompressed: false });
    return bytes;
  };

  it('counts until it is done, though the stream was reset: resets make no room that is not there', async () => {
    const done: (() => void)[] = [];
    const limits = { maxMessageBytes: 256 * KiB };
    await using peers = await connectPeers({
      far: {
        limits,
        // Does not heed its signal.
        onStream: (stream) =>
          serveRequests(stream, async () => {
            await new Promise<void>((resolve) => done.push(resolve));
            return new Uint8Array(1);
          }),
      },
    });
    const memory = peers.far.messageMemory;
    for (let i = 0; i < 10; i++) {
      const stream = await peers.near.openStream('/test/1');
      stream.write(request(60 * KiB));
      await peers.near.ping();
      stream.reset();
      await peers.near.ping();
    }
    expect(done).toHaveLength(4);
    expect(memory.used).toBe(4 * 61 * KiB);
    for (const resolve of done) resolve();
    await until(() => memory.used === 0);
  });

  it('is let go with its connection only when it is done', async () => {
    let finish = (): void => {};
    const shared = createSharedMemory(2 ** 30);
    const peers = await connectPeers({
      far: {
        sharedMemory: shared,
        onStream: (stream) =>
          serveRequests(stream, async (body) => {
            await new Promise<void>((resolve) => (finish = resolve));
            return body;
          }),
      },
    });
    const stream = await peers.near.openStream('/test/1');
    // Beyond the connection's own share.
    expect(peers.far.messageMemory.take(OWN_SHARE)).toBe(true);
    stream.write(request(60 * KiB));
    await until(() => shared.used === 61 * KiB);
    await peers[Symbol.asyncDispose]();
    expect(shared.used).toBe(61 * KiB);
    finish();
    await until(() => shared.used === 0);
  });
});

interface Joined {
  readonly memory: MessageMemory;
  readonly share: MemoryShare;
  used(): number;
  /** What the other one has left. */
  hogs(): number;
}

describe('memory that is taken while somebody gives way', () => {
  /** A connection whose streams end with those of another one. */
  const joined = (ask: () => boolean): Joined => {
    const shared = createSharedMemory(1000);
    const blocks = [300, 300];
    const hog: MemoryShare = shared.join({
      shed: () => {
        const block = blocks.pop();
        if (block === undefined) return false;
        if (!ask()) {
          blocks.push(block);
          return false;
        }
        hog.give(block);
        return true;
      },
    });
    hog.take(600);
    const memory = createMessageMemory({ maxMessageBytes: 2 ** 30, maxMessageStreams: 1, shared });
    const left = (): number => blocks.reduce((sum, block) => sum + block, 0);
    return { memory, share: hog, used: () => shared.used, hogs: left };
  };

  it.each([
    ['there is room then', true],
    ['there is not', false],
  ])('is counted once, whatever its connection gives and takes meanwhile: %s', (_name, isShed) => {
    let memory: MessageMemory | undefined;
    const {
      memory: own,
      share,
      used,
      hogs,
    } = joined(() => {
      const asker = memory;
      memory = undefined;
      asker?.give(100);
      // Refused or not: it is counted as it is told.
      if (asker?.take(30) === true) asker.give(30);
      return isShed;
    });
    expect(own.take(OWN_SHARE + 20)).toBe(true);
    memory = own;
    const isTaken = own.take(480);
    own.give(own.used);
    expect([isTaken, own.used]).toEqual([isShed, 0]);
    const held = used();
    expect(held).toBe(hogs());
    share.give(held);
    expect(used()).toBe(0);
  });

  it('is given back when the stream that it is for has ended meanwhile', async () => {
    await using peers = await connectPeers();
    const real = (await peers.near.openStream('/test/1')) as Stream;
    const budget = createMessageMemory({ maxMessageBytes: 1000, maxMessageStreams: 1 });
    let hold: MemoryHold | undefined;
    const watched = new Set<unknown>();
    const memory: MessageMemory = {
      ...budget,
      take: (bytes) => {
        hold?.evict(ResetCode.cancelled);
        return budget.take(bytes);
      },
      watch: (one) => watched.add(one),
      unwatch: (one) => watched.delete(one),
    };
    const stream = Object.create(real, {
      connection: { value: { messageMemory: memory } },
      reset: { value: () => undefined },
    }) as Stream;
    hold = MemoryHold.open(stream);
    expect(hold?.take(100)).toBe(true);
    expect([budget.used, hold?.used, watched.size]).toEqual([0, 0, 0]);
  });
});

describe('who has nothing to end', () => {
  it('is not asked again and again by who is refused: that would cost more than what is asked for', () => {
    const count = 200;
    const shared = createSharedMemory(count * 1000);
    let asked = 0;
    for (let i = 0; i < count; i++) {
      const shed = (): boolean => {
        asked++;
        return false;
      };
      shared.join({ shed }).take(1000);
    }
    const poor = shared.join({ shed: () => false });
    const started = performance.now();
    for (let i = 0; i < 1000; i++) expect(poor.take(8)).toBe(false);
    const rounds = 1 + (performance.now() - started) / 20;
    expect(asked).toBeLessThanOrEqual(count * (rounds + 1));
  });
});
