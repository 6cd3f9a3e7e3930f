import { describe, expect, it } from 'vitest';
import { TransportError } from '../src/errors.ts';
import { serveRequests } from '../src/messages/request-server.ts';
import { createRequester } from '../src/messages/requester.ts';
import type { Stream } from '../src/mux/stream.ts';
import { createSecurePeer, type SecurePeer, until } from './secure-peer.ts';

async function connectedPeers(serve: (b: SecurePeer) => void) {
  const a = createSecurePeer(1);
  const b = createSecurePeer(2);
  serve(b);
  const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
  const connection = await a.manager.connect(bound!);
  return { a, b, connection };
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** All bytes of a stream up to its end. */
async function read(stream: Stream): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += chunk.length;
  return length;
}

describe('a peer that closes while others are at work', () => {
  it('answers every request that was asked, and is gone when the askers have let go', async () => {
    let handled = 0;
    const { a, b, connection } = await connectedPeers(({ manager }) =>
      manager.handle('/test/slow', (stream) =>
        serveRequests(stream, async (body) => {
          handled++;
          await pause(1 + (body[0]! % 7));
          return body;
        }),
      ),
    );
    let answered = 0;
    const lanes = Array.from({ length: 8 }, async () => {
      await using requester = createRequester(await connection.openStream('/test/slow'));
      // Whoever hears the goodbye asks for nothing more; what is under way has to come.
      const ask = async (number: number): Promise<void> => {
        while (connection.isOpen) {
          const body = new Uint8Array(1 + ((number * 997) % 20_000)).fill(number);
          const answer = await requester.request(body);
          expect(Buffer.compare(answer, body)).toBe(0);
          answered++;
        }
      };
      await Promise.all(Array.from({ length: 16 }, (_, i) => ask(i)));
    });
    await until(() => answered > 200);
    const closing = b.manager.close();
    await Promise.all(lanes);
    await closing;
    expect(answered).toBe(handled);
    expect(await connection.closed).toBeUndefined();
    await a[Symbol.asyncDispose]();
  });

  it('finishes each stream that it has begun, and has not seen those that it refuses', async () => {
    const begun = new Set<number>();
    const { a, b, connection } = await connectedPeers(({ manager }) =>
      manager.handle('/test/echo', async (stream) => {
        let isFirst = true;
        for await (const chunk of stream) {
          if (isFirst) begun.add(chunk[0]! * 256 + chunk[1]!);
          isFirst = false;
          if (!stream.write(chunk)) await stream.drained();
        }
        await stream.closeWrite();
      }),
    );
    const finished: number[] = [];
    const refused: number[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      while (refused.length < 100) {
        const number = next++;
        const data = Uint8Array.of(number >> 8, number & 255);
        try {
          const stream = await connection.openStream('/test/echo', { data });
          const size = 1 + ((number * 7919) % 100_000);
          stream.write(new Uint8Array(size));
          const [length] = await Promise.all([read(stream), stream.closeWrite()]);
          expect(length).toBe(2 + size);
          finished.push(number);
        } catch (error) {
          if (!(error instanceof TransportError)) throw error;
          expect(['GOING_AWAY', 'STREAM_REFUSED', 'CONNECTION_CLOSED']).toContain(error.code);
          refused.push(number);
        }
      }
    };
    const lanes = Array.from({ length: 24 }, lane);
    await until(() => finished.length > 100);
    await b.manager.close();
    await Promise.all(lanes);
    expect(refused.filter((number) => begun.has(number))).toEqual([]);
    expect([...begun].filter((number) => !finished.includes(number))).toEqual([]);
    expect(await connection.closed).toBeUndefined();
    await a[Symbol.asyncDispose]();
  });
});
