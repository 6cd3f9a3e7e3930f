import { describe, expect, it } from 'vitest';
import { createCompressors } from '../src/compression.ts';
import { TransportError } from '../src/errors.ts';
import { decodeBody, encodeBody } from '../src/messages/bodies.ts';
import { createMessageSender, type IncomingMessage, receiveMessages } from '../src/messages/messages.ts';
import { type RequestHandler, type ServeOptions, serveRequests } from '../src/messages/request-server.ts';
import { createRequester } from '../src/messages/requester.ts';
import type { Stream } from '../src/mux/stream.ts';
import { type Connected, type ConnectedOptions, connectPeers, text } from './connected.ts';

interface StreamPair extends AsyncDisposable {
  readonly near: Stream;
  readonly far: Stream;
  readonly peers: Connected;
}

async function streamPair(options: ConnectedOptions = {}): Promise<StreamPair> {
  let accept!: (stream: Stream) => void;
  const accepted = new Promise<Stream>((resolve) => {
    accept = resolve;
  });
  const peers = await connectPeers({ ...options, far: { ...options.far, onStream: accept } });
  const near = await peers.near.openStream('/test/1');
  return { near, far: await accepted, peers, [Symbol.asyncDispose]: () => peers[Symbol.asyncDispose]() };
}

const noise = (length: number, seed = 1): Uint8Array => {
  let state = seed;
  return new Uint8Array(length).map(() => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  });
};

async function readAll(stream: Stream, options = {}): Promise<Uint8Array[]> {
  const bodies: Uint8Array[] = [];
  for await (const message of receiveMessages(stream, options)) {
    bodies.push(await message.bytes({ maxLength: 10_000_000 }));
  }
  return bodies;
}

describe('messages', () => {
  it('keep their borders and their order, whatever their size', async () => {
    await using streams = await streamPair();
    const sizes = [0, 1, 100, 8191, 8192, 65_535, 65_536, 65_537, 1_000_000, 0, 3];
    const bodies = sizes.map((size, i) => noise(size, i + 1));
    const sender = createMessageSender(streams.near);
    const received = readAll(streams.far);
    for (const body of bodies) await sender.send(body);
    await sender.close();
    const got = await received;
    expect(got.map(({ length }) => length)).toEqual(sizes);
    for (let i = 0; i < sizes.length; i += 1) expect(Buffer.compare(got[i]!, bodies[i]!)).toBe(0);
  });

  it('keep no more memory than their own, however large the record that brought them', async () => {
    await using streams = await streamPair();
    const sender = createMessageSender(streams.near);
    const received = readAll(streams.far);
    // Written in one turn, they come in one record.
    const sent = [1, 60_000, 2].map((size) => sender.send(noise(size)));
    await Promise.all([...sent, sender.close()]);
    const got = await received;
    expect(got.map(({ length }) => length)).toEqual([1, 60_000, 2]);
    for (const { length, buffer } of got) expect(buffer.byteLength).toBeLessThanOrEqual(2 * length + 2048);
  });

  it('are compressed where both sides can, and only when it pays', async () => {
    for (const compressor of createCompressors()) {
      const features = { features: [compressor.name] };
      await using streams = await streamPair({ near: features, far: features });
      const options = { compressors: [compressor] };
      const sender = createMessageSender(streams.near, options);
      const received = readAll(streams.far, options);
      const bodies = [new Uint8Array(200_000).fill(7), noise(50_000), text('x'.repeat(1023))];
      for (const body of bodies) await sender.send(body);
      await sender.close();
      const got = await received;
      for (let i = 0; i < bodies.length; i += 1) expect(Buffer.compare(got[i]!, bodies[i]!)).toBe(0);
      expect(streams.peers.near.stats.bytesSent).toBeLessThan(60_000);
    }
  });

  it('are not compressed when the other side has not said that it can', async () => {
    await using streams = await streamPair({ near: { features: ['deflate'] } });
    const options = { compressors: createCompressors() };
    const sender = createMessageSender(streams.near, options);
    const received = readAll(streams.far, options);
    await sender.send(new Uint8Array(200_000));
    await sender.close();
    expect((await received)[0]).toHaveLength(200_000);
    expect(streams.peers.near.stats.bytesSent).toBeGreaterThan(200_000);
  });

  it('of any length pass in constant memory: the source waits for the reader', async () => {
    await using streams = await streamPair();
    let taken = 0;
    function* source(): Generator<Uint8Array> {
      for (; taken < 64; taken += 1) yield new Uint8Array(1024 * 1024).fill(taken);
    }
    const sender = createMessageSender(streams.near);
    const sent = sender.sendFrom(source()).then(() => sender.close());
    let length = 0;
    let most = 0;
    for await (const message of receiveMessages(streams.far)) {
      for await (const piece of message) {
        length += piece.length;
        most = Math.max(most, taken * 1024 * 1024 - length);
      }
    }
    await sent;
    expect(length).toBe(64 * 1024 * 1024);
    expect(most).toBeLessThan(8 * 1024 * 1024);
  });

  it('that nobody reads to their end are skipped', async () => {
    await using streams = await streamPair();
    const sender = createMessageSender(streams.near);
    const sent = sender.sendFrom([noise(300_000), noise(10)]).then(() => sender.send(text('next')));
    const seen: IncomingMessage[] = [];
    for await (const message of receiveMessages(streams.far)) {
      seen.push(message);
      if (seen.length < 2) continue;
      expect(await message.bytes({ maxLength: 10 })).toEqual(text('next'));
      break;
    }
    await sent;
  });

  it('that are larger than the reader wants end the stream', async () => {
    await using streams = await streamPair();
    const sender = createMessageSender(streams.near);
    void sender.send(new Uint8Array(100_000)).catch(() => undefined);
    for await (const message of receiveMessages(streams.far)) {
      await expect(message.bytes({ maxLength: 99_999 })).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
      break;
    }
    await expect(sender.close()).rejects.toMatchObject({ code: 'STREAM_RESET' });
  });

  it('that are cut are an error, never a shorter message', async () => {
    await using streams = await streamPair();
    streams.near.write(Uint8Array.of(1, 0, 0, 10, 0, 0, 0, 0, 1, 2, 3));
    void streams.near.closeWrite();
    await expect(readAll(streams.far)).rejects.toMatchObject({ code: 'MALFORMED' });
  });

  for (const [name, bytes] of [
    ['an unknown kind', [9, 0, 0, 0, 0, 0, 0, 0]],
    ['a length of 2^24 - 1', [1, 255, 255, 255, 0, 0, 0, 0]],
    ['a compression that was not agreed on', [0x41, 0, 0, 5, 0, 0, 0, 0, 1, 0, 0, 1, 0]],
    ['an empty frame with more to follow', [0x81, 0, 0, 0, 0, 0, 0, 0]],
    ['a message within another', [0x81, 0, 0, 1, 0, 0, 0, 0, 7, 1, 0, 0, 1, 0, 0, 0, 1, 7]],
  ] as const) {
    it(`refuse ${name} with MALFORMED`, async () => {
      await using streams = await streamPair();
      streams.near.write(Uint8Array.from(bytes));
      await expect(readAll(streams.far)).rejects.toMatchObject({ code: 'MALFORMED' });
    });
  }

  it('refuse a frame that unpacks to more than it says', async () => {
    const [compressor] = createCompressors();
    const features = { features: [compressor!.name] };
    await using streams = await streamPair({ near: features, far: features });
    const packed = compressor!.compress(new Uint8Array(60_000));
    const frame = [0x41, 0, 0, packed.length + 4, 0, 0, 0, 0, compressor!.id, 0, 0x10, 0, ...packed];
    streams.near.write(Uint8Array.from(frame));
    await expect(readAll(streams.far, { compressors: [compressor!] })).rejects.toMatchObject({
      code: 'MALFORMED',
    });
  });
});

describe('requests', () => {
  it('leave no stream behind when the other side answers no more', async () => {
    await using streams = await streamPair();
    const asked = createRequester(streams.near).request(text('x'));
    streams.far.closeWrite().catch(() => undefined);
    await expect(asked).rejects.toMatchObject({ code: 'STREAM_CLOSED' });
    await streams.peers.near.ping();
    expect([streams.peers.near.stats.streams, streams.peers.far.stats.streams]).toEqual([0, 0]);
  });

  async function serve(
    handler: RequestHandler,
    options: ServeOptions = {},
    far: ConnectedOptions['far'] = {},
  ): Promise<StreamPair> {
    const streams = await streamPair({ far });
    serveRequests(streams.far, handler, options);
    return streams;
  }

  it('are answered, many at once and out of order', async () => {
    const release: (() => void)[] = [];
    await using streams = await serve(async (body) => {
      await new Promise<void>((resolve) => release.push(resolve));
      return body;
    });
    const requester = createRequester(streams.near);
    const bodies = [noise(10), noise(100_000), noise(0)];
    const answers = bodies.map((body) => requester.request(body));
    while (release.length < 3) await new Promise(setImmediate);
    for (const go of release.reverse()) go();
    const got = await Promise.all(answers);
    for (let i = 0; i < 3; i += 1) expect(Buffer.compare(got[i]!, bodies[i]!)).toBe(0);
    expect(requester.pending).toBe(0);
  });

  it('keep bodies of every size whole, long after the records that brought them', async () => {
    await using pair = await streamPair();
    serveRequests(pair.far, async (body) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return body;
    });
    const requester = createRequester(pair.near);
    const bodies = [0, 1, 5000, 16_384, 20_000, 40_000, 65_000, 65_536, 65_537, 300_000].map((length) =>
      noise(length, length + 1),
    );
    const answers = await Promise.all(bodies.map((body) => requester.request(body)));
    await new Promise((resolve) => setTimeout(resolve, 10));
    for (const [i, answer] of answers.entries()) expect(Buffer.compare(answer, bodies[i]!)).toBe(0);
  });

  it('carry MessagePack bodies and refuse what is none', async () => {
    await using streams = await serve((body) => encodeBody({ got: decodeBody(body) as string }));
    const requester = createRequester(streams.near);
    expect(decodeBody(await requester.request(encodeBody('hi')))).toEqual({ got: 'hi' });
    expect(() => decodeBody(Uint8Array.of(0xc1))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it('time out, and tell the handler that nobody waits any more', async () => {
    let reason: unknown;
    await using streams = await serve(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(signal.reason);
          });
        }),
    );
    const requester = createRequester(streams.near);
    await expect(requester.request(text('slow'), { timeout: 10 })).rejects.toMatchObject({
      code: 'REQUEST_TIMEOUT',
    });
    while (reason === undefined) await new Promise(setImmediate);
    expect(reason).toMatchObject({ code: 'REQUEST_FAILED' });
  });

  it('are cancelled by their signal', async () => {
    await using streams = await serve(() => new Promise(() => undefined));
    const requester = createRequester(streams.near);
    const controller = new AbortController();
    const answer = requester.request(text('never'), { signal: controller.signal });
    controller.abort(new Error('changed my mind'));
    await expect(answer).rejects.toThrow('changed my mind');
    expect(requester.pending).toBe(0);
  });

  it('are cancelled behind a large one that is still leaving: the handler hears of it', async () => {
    const aborted: string[] = [];
    const begun: string[] = [];
    await using streams = await serve((body, { signal }) => {
      if (body.length > 100) return new Uint8Array(0);
      begun.push(`${body.length}`);
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push(`${body.length}`);
          reject(signal.reason);
        });
      });
    });
    const requester = createRequester(streams.near);
    const controller = new AbortController();
    const given = requester.request(new Uint8Array(7), { signal: controller.signal });
    while (begun.length === 0) await new Promise(setImmediate);
    const large = requester.request(new Uint8Array(4 * 1024 * 1024));
    // One that waits for the large one to leave, and never leaves itself.
    const unsent = requester.request(new Uint8Array(9), { signal: controller.signal });
    expect(streams.near.queuedBytes).toBeGreaterThan(64 * 1024);
    controller.abort(new Error('changed my mind'));
    await expect(given).rejects.toThrow('changed my mind');
    await expect(unsent).rejects.toThrow('changed my mind');
    expect(await large).toHaveLength(0);
    while (aborted.length === 0) await new Promise(setImmediate);
    expect([begun, aborted]).toEqual([['7'], ['7']]);
  });

  it('fail with the number that the handler gives, and with nothing else of its error', async () => {
    await using streams = await serve((body) => {
      if (body.length === 0) throw new Error('secret');
      throw new TransportError('REQUEST_FAILED', 'secret', { resetCode: 777 });
    });
    const requester = createRequester(streams.near);
    await expect(requester.request(text('x'))).rejects.toMatchObject({
      code: 'REQUEST_FAILED',
      resetCode: 777,
    });
    await expect(requester.request(text(''))).rejects.toMatchObject({ code: 'REQUEST_FAILED', resetCode: 3 });
  });

  it('that are outstanding fail when the connection breaks', async () => {
    await using streams = await serve(() => new Promise(() => undefined));
    const requester = createRequester(streams.near);
    const answer = requester.request(text('x'));
    streams.peers.far.abort();
    await expect(answer).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await expect(requester.request(text('y'))).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  it('beyond the limit wait: the stream is not read', async () => {
    let running = 0;
    let most = 0;
    await using streams = await serve(
      async (body) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        return body;
      },
      { maxPending: 4 },
    );
    const requester = createRequester(streams.near);
    // One frame each, so that the stream stops between them.
    const answers = Array.from({ length: 100 }, (_, i) => requester.request(noise(9000, i)));
    await Promise.all(answers);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('that come many in one read are no more at once than may be worked on', async () => {
    let running = 0;
    let most = 0;
    await using streams = await serve(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        return new Uint8Array(0);
      },
      { maxPending: 4 },
    );
    const requester = createRequester(streams.near);
    await Promise.all(Array.from({ length: 2000 }, () => requester.request(new Uint8Array(0))));
    expect(most).toBe(4);
  });

  it('whose large answers nobody reads wait: the process lives, and every answer arrives when it is read', async () => {
    let asked = 0;
    await using streams = await serve(
      () => {
        asked += 1;
        return new Uint8Array(1_500_000);
      },
      {},
      { limits: { maxQueuedBytes: 2_000_000 } },
    );
    const requester = createRequester(streams.near);
    streams.near.pause();
    const answers = Array.from({ length: 20 }, () => requester.request(text('x')));
    while (asked < 2) await new Promise(setImmediate);
    for (let i = 0; i < 50; i += 1) await new Promise(setImmediate);
    expect(streams.far.queuedBytes).toBeLessThan(2_000_000);
    streams.near.resume();
    for (const answer of await Promise.all(answers)) expect(answer.length).toBe(1_500_000);
  });

  it('with a body longer than the stream may queue fail alone: nothing is left half written', async () => {
    const limits = { maxQueuedBytes: 100_000 };
    await using streams = await serve(() => new Uint8Array(3_000_000), {}, { limits });
    const requester = createRequester(streams.near);
    await expect(requester.request(text('x'))).rejects.toMatchObject({ code: 'STREAM_RESET' });
    expect(streams.peers.near.isOpen).toBe(true);
  });
});
