import { describe, expect, it } from 'vitest';
import { concat, createMuxPair, deliver } from './mux-pair.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Frame type and length of the payload of every frame of a record. */
function framesOf(record: Uint8Array): [type: number, length: number][] {
  const frames: [number, number][] = [];
  for (let at = 0; at < record.length; ) {
    const length = (record[at + 1]! << 16) | (record[at + 2]! << 8) | record[at + 3]!;
    frames.push([record[at]!, length]);
    at += 8 + length;
  }
  return frames;
}

const OPEN = 1;
const DATA = 2;
const FIN_ACK = 5;

describe('what leaves before the turn is over', () => {
  it('is a packet full of small writes, then twice as much, each as one frame', async () => {
    const pair = createMuxPair({ version: 2 });
    const stream = pair.a.mux.openStream('/x');
    await turn();
    pair.a.outbox.length = 0;
    const sent = Array.from({ length: 100 }, (_, i) => new Uint8Array(64).fill(i));
    const records = sent.map((piece) => {
      stream.write(piece);
      return pair.a.outbox.length;
    });
    expect(records.lastIndexOf(0)).toBe(20);
    expect(records.lastIndexOf(1)).toBe(64);
    await turn();
    expect(pair.a.outbox.map(framesOf)).toEqual([[[DATA, 22 * 64]], [[DATA, 44 * 64]], [[DATA, 34 * 64]]]);
    const all = concat(pair.a.outbox.map((record) => record.subarray(8)));
    expect(Buffer.compare(all, concat(sent))).toBe(0);
    // The next turn begins anew.
    for (const piece of sent.slice(0, 21)) stream.write(piece);
    expect(pair.a.outbox).toHaveLength(3);
    stream.write(sent[21]!);
    expect(pair.a.outbox).toHaveLength(4);
  });

  it('is gathered into whole records when there is more than a few packets of it', async () => {
    const pair = createMuxPair({ version: 2 });
    const stream = pair.a.mux.openStream('/x');
    await turn();
    pair.a.outbox.length = 0;
    for (let i = 0; i < 60; i += 1) stream.write(new Uint8Array(1024));
    await turn();
    expect(pair.a.outbox).toHaveLength(4);
  });

  it('keeps its order when small writes behind a large one outgrow their buffer', async () => {
    const pair = createMuxPair({ version: 2 });
    const stream = pair.a.mux.openStream('/x');
    await turn();
    pair.a.outbox.length = 0;
    const sent = [new Uint8Array(10_000).fill(1)];
    for (let i = 0; i < 60; i += 1) sent.push(new Uint8Array(64).fill(i));
    for (const piece of sent) stream.write(piece);
    await turn();
    expect(pair.a.outbox.map(framesOf)).toEqual([
      [
        [DATA, 10_000],
        [DATA, 60 * 64],
      ],
    ]);
    const [record] = pair.a.outbox;
    const all = concat([record!.subarray(8, 10_008), record!.subarray(10_016)]);
    expect(Buffer.compare(all, concat(sent))).toBe(0);
  });

  it('is not hurried behind a socket that takes nothing', async () => {
    const pair = createMuxPair({ version: 2 });
    pair.a.isWritable = false;
    pair.a.mux.openStream('/x');
    await turn();
    for (let i = 0; i < 50; i += 1) pair.a.mux.openStream(`/${'x'.repeat(100)}`);
    expect(pair.a.outbox).toHaveLength(1);
    await turn();
    expect(pair.a.outbox).toHaveLength(2);
  });

  it('leaves within the read that it answers', async () => {
    const pair = createMuxPair({ version: 2 });
    pair.b.onStream = (stream) => {
      const onData = (chunk: Uint8Array): void => {
        for (let at = 0; at < chunk.length; at += 64) stream.write(chunk.slice(at, at + 64));
      };
      stream.receive({ onData, onEnd() {}, onReset() {} });
    };
    const stream = pair.a.mux.openStream('/x');
    stream.write(new Uint8Array(1280));
    await turn();
    stream.write(new Uint8Array(4096));
    await turn();
    const answers = pair.a.outbox.splice(0).map((record) => {
      pair.b.mux.cork();
      pair.b.mux.receive(record);
      const within = pair.b.outbox.length;
      pair.b.mux.uncork();
      return [within, pair.b.outbox.splice(0).length];
    });
    expect(answers).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });
});

describe('an acknowledgement', () => {
  it('of an end goes with what the continuations of the turn have to say', async () => {
    const pair = createMuxPair({ version: 2 });
    const stream = pair.a.mux.openStream('/x', new Uint8Array(1));
    await pair.settle();
    const [accepted] = pair.b.accepted;
    void accepted!.closeWrite();
    await turn();
    const ended = new Promise<void>((resolve) => {
      stream.receive({ onData() {}, onEnd: resolve, onReset() {} });
    });
    const answered = ended.then(() => pair.a.mux.openStream('/y', new Uint8Array(1)));
    expect(deliver(pair.b, pair.a)).toBe(true);
    expect(pair.a.outbox).toHaveLength(0);
    await answered;
    await turn();
    expect(pair.a.outbox.map(framesOf)).toEqual([
      [
        [FIN_ACK, 0],
        [OPEN, 4],
      ],
    ]);
  });

  it('leaves alone when nobody says anything, and at once with an answer', async () => {
    const pair = createMuxPair({ version: 2 });
    const stream = pair.a.mux.openStream('/x', new Uint8Array(1));
    await pair.settle();
    const [accepted] = pair.b.accepted;
    const closed = accepted!.closeWrite();
    await pair.settle();
    await closed;
    accepted!.receive({ onData() {}, onEnd: () => pair.b.mux.openStream('/y'), onReset() {} });
    void stream.closeWrite();
    await turn();
    expect(deliver(pair.a, pair.b)).toBe(true);
    expect(pair.b.outbox.map(framesOf)).toEqual([
      [
        [FIN_ACK, 0],
        [OPEN, 3],
      ],
    ]);
  });
});
