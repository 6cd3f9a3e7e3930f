import { expect, it, vi } from 'vitest';
import { ReadTurns, type TurnTaker } from '../src/tcp/read-turns.ts';
import { connectPeers, tcpPair } from './connected.ts';
import { concat, createMuxEnd } from './mux-pair.ts';
import { data, open } from './raw-frames.ts';
import { until } from './secure-peer.ts';

function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

it('a record whose frames cost much is read in several turns, in order, and nothing of it is lost', () => {
  const end = createMuxEnd(false, () => 0, { takesTurns: true });
  const ids: number[] = [];
  end.onStream = (stream) => {
    ids.push(stream.id);
    work(0.02);
  };
  const opens = Array.from({ length: 200 }, (_, index) => open(1 + 2 * index));
  let turns = 1;
  end.mux.reader.beginTurn();
  expect(end.mux.receive(concat(opens))).toBe(true);
  while (end.mux.reader.hasRest) {
    turns++;
    end.mux.reader.beginTurn();
    end.mux.receive();
  }
  expect(ids).toEqual(opens.map((_, index) => 1 + 2 * index));
  expect(turns).toBeGreaterThan(2);
  expect(turns).toBeLessThan(20);
});

it('without turns a record is read at once', () => {
  const end = createMuxEnd(false, () => 0);
  end.onStream = () => work(0.02);
  end.mux.receive(concat(Array.from({ length: 200 }, (_, index) => open(1 + 2 * index))));
  expect([end.mux.reader.hasRest, end.accepted.length]).toEqual([false, 200]);
});

it('says that the bytes of a record are kept when any part of it is', () => {
  const end = createMuxEnd(false, () => 0, { takesTurns: true });
  end.onStream = () => work(0.02);
  const first = [open(1), data(1, [1, 2, 3])];
  end.mux.reader.beginTurn();
  let isKept = end.mux.receive(concat([...first, ...Array.from({ length: 100 }, (_, i) => open(3 + 2 * i))]));
  while (end.mux.reader.hasRest) {
    end.mux.reader.beginTurn();
    isKept = end.mux.receive();
  }
  expect(isKept).toBe(true);
});

it('what comes behind a costly record waits for it: streams, data, the end and the goodbye', async () => {
  const seen: string[] = [];
  await using peers = await connectPeers({
    bytes: await tcpPair(),
    far: {
      onStream: (stream) => {
        work(0.02);
        stream.receive({
          onData: (chunk) => seen.push(`${stream.id}:${chunk.length}`),
          onEnd: () => {
            seen.push(`${stream.id}.`);
            void stream.closeWrite();
          },
          onReset: () => seen.push('reset'),
        });
      },
    },
  });
  const streams = await Promise.all(
    Array.from({ length: 500 }, () => peers.near.openStream('/test/1', { data: new Uint8Array(2) })),
  );
  const ends = streams.map((stream) => {
    stream.receive({ onData: () => {}, onEnd: () => {}, onReset: () => {} });
    return stream.closeWrite();
  });
  await peers.near.close();
  await Promise.all(ends);
  expect(await peers.far.closed).toBeUndefined();
  expect(seen.filter((entry) => entry === 'reset')).toEqual([]);
  expect(new Set(seen)).toEqual(new Set(streams.flatMap(({ id }) => [`${id}:2`, `${id}.`])));
});

it.each(['goes on', 'closes'])(
  'what was handed over stays whole: between the parts of its record the connection %s',
  async (fate) => {
    const kept: Uint8Array[] = [];
    let opened = 0;
    await using peers = await connectPeers({
      bytes: await tcpPair(),
      far: {
        onStream: (stream) => {
          opened += 1;
          stream.receive({ onData: (chunk) => kept.push(chunk), onEnd: () => {}, onReset: () => {} });
          if (opened === 3 && fate === 'closes')
            queueMicrotask(() => void peers.far.close({ signal: AbortSignal.abort() }));
          work(0.2);
        },
      },
    });
    const stream = await peers.near.openStream('/bulk/1');
    stream.write(new Uint8Array(60_000).fill(7));
    for (let i = 0; i < 300; i += 1) void peers.near.openStream('/test/1');
    if (fate === 'closes') await peers.far.closed;
    else await until(() => opened === 301);
    expect(opened < 301).toBe(fate === 'closes');
    await new Promise((resolve) => setImmediate(resolve));
    expect(kept.map((chunk) => chunk.length)).toEqual([60_000]);
    expect(kept[0]!.every((byte) => byte === 7)).toBe(true);
  },
);

it('an end that Node reads meanwhile waits for what was put off', async () => {
  const seen: string[] = [];
  await using peers = await connectPeers({
    bytes: await tcpPair({ useSharedBuffer: false }),
    far: {
      onStream: (stream) => {
        work(0.05);
        const onEnd = (): void => void seen.push(`${stream.id}.`);
        stream.receive({ onData: (chunk) => seen.push(`${stream.id}:${chunk.length}`), onEnd, onReset() {} });
      },
    },
  });
  const data = new Uint8Array(2);
  const streams = await Promise.all(
    Array.from({ length: 500 }, () => peers.near.openStream('/test/1', { data })),
  );
  for (const stream of streams) void stream.closeWrite();
  void peers.near.close({ signal: AbortSignal.abort() });
  expect(await peers.far.closed).toBeUndefined();
  expect(new Set(seen)).toEqual(new Set(streams.flatMap(({ id }) => [`${id}:2`, `${id}.`])));
});

it.each([true, false])('a read in pieces is whole before its end, shared buffer: %s', async (isShared) => {
  const [near, far] = await tcpPair({ useSharedBuffer: isShared });
  const seen: number[] = [];
  let bytes = 0;
  const onData = (chunk: Uint8Array): void => {
    bytes += chunk.length;
    work(2.5);
  };
  const closed = new Promise<void>((onClose) => {
    far.start({ onData, onDrain() {}, onEnd: () => seen.push(bytes), onClose: () => onClose() });
  });
  near.start({ onData() {}, onDrain() {}, onEnd() {}, onClose() {} });
  near.write([new Uint8Array(60_000)]);
  near.end();
  far.end();
  await closed;
  expect(seen).toEqual([60_000]);
});

it('of many sources that want to go on, one does in each turn of the event loop', async () => {
  const turns = new ReadTurns();
  const order: number[] = [];
  const sources = [0, 1, 2].map(
    (index): TurnTaker => ({ readSize: 4096, goOn: () => void order.push(index) }),
  );
  for (const source of sources) {
    const started = performance.now();
    work(3);
    expect(turns.end(source, 4096, started)).toBe(false);
  }
  expect(order).toEqual([]);
  await until(() => order.length === 3);
  expect(order).toEqual([0, 1, 2]);
});

it('who has work for many turns has one in each turn of the event loop', async () => {
  const turns = new ReadTurns();
  let left = 30;
  let taken = 0;
  const worker = {
    get hasWork() {
      return left > 0;
    },
    onTurn() {
      left -= 1;
      work(2.1);
    },
  };
  const source: TurnTaker = {
    readSize: 4096,
    goOn: () => {
      taken += 1;
      turns.work(source, worker);
    },
  };
  const started = performance.now();
  work(3);
  expect(turns.end(source, 4096, started)).toBe(false);
  const takenByTurn: number[] = [];
  while (left > 0) {
    taken = 0;
    await new Promise((resolve) => setImmediate(resolve));
    takenByTurn.push(taken);
  }
  expect(Math.max(...takenByTurn)).toBe(1);
});

it('counts work of this turn of the event loop only', () => {
  let now = 1000;
  using _ = vi.spyOn(performance, 'now').mockImplementation(() => now);
  const turns = new ReadTurns();
  const sources = [0, 1].map((): TurnTaker => ({ readSize: 4096, goOn: () => {} }));
  const read = (index: number, milliseconds: number): boolean => {
    now += 1;
    const started = now;
    now += milliseconds;
    return turns.end(sources[index % 2]!, 100, started);
  };
  const answers = Array.from({ length: 50 }, (_, index) => read(index, 0.05));
  expect([...answers, read(0, 0.15)]).toEqual(new Array(51).fill(true));
  expect(read(1, 0.15)).toBe(false);
});

it('reads are as large as they are cheap', () => {
  const turns = new ReadTurns();
  const source: TurnTaker = { readSize: 16_384, goOn: () => {} };
  const read = (milliseconds: number): number => {
    const started = performance.now();
    work(milliseconds);
    turns.end(source, source.readSize, started);
    return source.readSize;
  };
  expect([read(0), read(0), read(0)]).toEqual([65_536, 262_144, 262_144]);
  expect([read(3), read(3), read(3), read(3)]).toEqual([65_536, 16_384, 4096, 4096]);
});
