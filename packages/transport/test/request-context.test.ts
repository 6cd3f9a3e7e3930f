import { expect, it } from 'vitest';
import { RequestEnd } from '../src/messages/request-context.ts';
import { serveRequests } from '../src/messages/request-server.ts';
import { createRequester } from '../src/messages/requester.ts';
import type { Stream } from '../src/mux/stream.ts';
import { connectPeers } from './connected.ts';
import { until } from './secure-peer.ts';

it('has one signal, which aborts once with the first reason, whether it was looked at before or not', () => {
  for (const isEarly of [true, false]) {
    const context = new RequestEnd();
    let aborts = 0;
    if (isEarly) context.signal.addEventListener('abort', () => aborts++);
    context.abort(new Error('first'));
    context.abort(new Error('second'));
    expect([context.signal.aborted, aborts]).toEqual([true, isEarly ? 1 : 0]);
    expect(context.signal.reason).toMatchObject({ message: 'first' });
    expect(context.signal).toBe(context.signal);
  }
  expect(new RequestEnd().signal.aborted).toBe(false);
});

it('a handler sees the signal and the stream of its request, in a copy too, and nothing that would end it', () => {
  const end = new RequestEnd();
  const context = end.contextOf({} as Stream);
  expect(Object.keys(context).sort()).toEqual(['signal', 'stream']);
  expect('abort' in context).toBe(false);
  const copy = { ...context };
  end.abort(new Error('over'));
  expect([context.signal.aborted, copy.signal.aborted]).toEqual([true, true]);
});

it('a handler that looks at its signal only when the asker has given up finds it aborted, and so when the stream is over', async () => {
  const signals: (() => AbortSignal)[] = [];
  await using peers = await connectPeers({
    far: {
      onStream: (stream) =>
        serveRequests(stream, async (_body, context) => {
          signals.push(() => context.signal);
          await new Promise(() => undefined);
          return new Uint8Array(0);
        }),
    },
  });
  const stream = await peers.near.openStream('/test/1');
  const requester = createRequester(stream);
  const givenUp = new AbortController();
  const asked = requester.request(new Uint8Array(1), { signal: givenUp.signal });
  await until(() => signals.length === 1);
  givenUp.abort(new Error('enough'));
  await expect(asked).rejects.toThrow('enough');
  requester.request(new Uint8Array(1)).catch(() => undefined);
  await until(() => signals.length === 2);
  expect(signals.map((signal) => signal().aborted)).toEqual([true, false]);
  const late = signals[1]!();
  requester.request(new Uint8Array(1)).catch(() => undefined);
  await until(() => signals.length === 3);
  stream.reset();
  await until(() => late.aborted);
  expect(signals[2]!().aborted).toBe(true);
});
