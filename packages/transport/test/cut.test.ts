import { describe, expect, it } from 'vitest';
import type { ByteConnection, ByteConnectionHandler } from '../src/byte-connection.ts';
import { TransportError } from '../src/errors.ts';
import { createMemoryPair } from '../src/memory.ts';
import { type Connected, collect, connectPeers, text } from './connected.ts';
import { concat } from './mux-pair.ts';

/** Carries as many bytes as are left, then breaks the connection in both directions. */
function cutAfter(bytes: ByteConnection, left: number): ByteConnection {
  let rest = left;
  return {
    localAddress: bytes.localAddress,
    remoteAddress: bytes.remoteAddress,
    start: (handler: ByteConnectionHandler) => bytes.start(handler),
    write(chunks) {
      const whole = concat(chunks);
      const part = whole.subarray(0, rest);
      rest -= part.length;
      const answer = part.length > 0 ? bytes.write([part]) : true;
      if (part.length < whole.length) queueMicrotask(() => bytes.destroy());
      return answer;
    },
    pause: () => bytes.pause(),
    resume: () => bytes.resume(),
    end: () => bytes.end(),
    destroy: (error) => bytes.destroy(error),
  };
}

const MESSAGE = text('all of it, or an error');

interface Outcome {
  readonly upgradeFailed: boolean;
  readonly reportedSent: boolean;
  readonly received: boolean;
  readonly error: unknown;
}

/** Alice, whose sending direction is cut, sends a message to Bob and asks whether it arrived. */
async function attempt(left: number, isNearCut: boolean): Promise<Outcome> {
  let received = false;
  const [near, far] = createMemoryPair();
  const bytes = isNearCut ? ([cutAfter(near, left), far] as const) : ([near, cutAfter(far, left)] as const);
  const onStream = (stream: Parameters<typeof collect>[0]): void => {
    const collected = collect(stream);
    void collected.done.then(
      () => {
        received = Buffer.compare(concat(collected.chunks), MESSAGE) === 0;
        void stream.closeWrite();
      },
      () => undefined,
    );
  };
  const timeouts = { limits: { handshakeTimeout: 2000 } };
  let peers: Connected;
  try {
    peers = await connectPeers({ bytes, near: timeouts, far: { ...timeouts, onStream } });
  } catch (error) {
    return { upgradeFailed: true, reportedSent: false, received, error };
  }
  try {
    const stream = await peers.near.openStream('/cut/1', { data: MESSAGE });
    await stream.closeWrite();
    return { upgradeFailed: false, reportedSent: true, received, error: undefined };
  } catch (error) {
    return { upgradeFailed: false, reportedSent: false, received, error };
  } finally {
    await peers[Symbol.asyncDispose]();
  }
}

describe('a connection that is cut', () => {
  for (const [name, isNearCut] of [
    ['sender', true],
    ['receiver', false],
  ] as const) {
    it(`after any byte of the ${name}: nothing is reported as received that was not, and every failure has a code`, async () => {
      let succeeded = 0;
      for (let left = 0; left < 700 && succeeded === 0; left += 1) {
        const outcome = await attempt(left, isNearCut);
        if (outcome.reportedSent) {
          expect(outcome.received).toBe(true);
          succeeded += 1;
        } else expect(outcome.error).toBeInstanceOf(TransportError);
      }
      expect(succeeded).toBe(1);
    });
  }
});
