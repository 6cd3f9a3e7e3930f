import type { Connection } from '../connection/connection.ts';
import { TransportError } from '../errors.ts';
import type { Random } from '../time/clock.ts';
import { createDeadline } from '../time/deadline.ts';
import type { TimerWheel, WheelTimer } from '../time/timer-wheel.ts';

/** When a silent peer is asked, and when it is given up. */
export interface KeepAliveOptions {
  /**
   * Milliseconds of silence after which the peer is asked. @defaultValue 25,000: NAT boxes forget a TCP mapping after minutes,
   * a UDP mapping after 30 seconds (RFC 4787 §4.3)
   */
  readonly interval?: number;
  /** Milliseconds that it has to answer. @defaultValue 10,000 */
  readonly timeout?: number;
}

/** Pings a connection that is silent and aborts it with `PEER_UNRESPONSIVE` when nothing comes back. */
export function watchLiveness(
  connection: Connection,
  wheel: TimerWheel,
  random: Random,
  options: KeepAliveOptions = {},
): Disposable & { probe(): Promise<boolean> } {
  const { interval = 25_000, timeout = 10_000 } = options;
  let seen = -1;
  let timer: WheelTimer | undefined;
  let probing: Promise<boolean> | undefined;
  let isDisposed = false;

  const schedule = (delay: number): void => {
    if (!isDisposed) timer = wheel.schedule(delay, check);
  };

  function check(): void {
    const { bytesReceived } = connection.stats;
    if (bytesReceived !== seen) {
      seen = bytesReceived;
      schedule(interval);
      return;
    }
    void probe().then((isAlive) => {
      seen = connection.stats.bytesReceived;
      if (isAlive) schedule(interval);
    });
  }

  /** Never rejects. Callers at the same time share one ping. */
  function probe(): Promise<boolean> {
    probing ??= ping().finally(() => {
      probing = undefined;
    });
    return probing;
  }

  async function ping(): Promise<boolean> {
    const unresponsive = (): TransportError =>
      new TransportError('PEER_UNRESPONSIVE', `no answer within ${timeout} ms`);
    const before = connection.stats.bytesReceived;
    const deadline = createDeadline(wheel, timeout, unresponsive);
    try {
      await connection.ping({ signal: deadline.signal });
      return true;
    } catch (error) {
      // Anything that arrived meanwhile is as good as an answer: it may wait behind bulk data.
      if (connection.stats.bytesReceived !== before && connection.isOpen) return true;
      if (!isDisposed) connection.abort(error as Error);
      return false;
    } finally {
      deadline[Symbol.dispose]();
    }
  }

  // Spread over the interval, so that a thousand connections of one moment are not asked in one moment.
  schedule(interval * (0.5 + random() / 2));
  return {
    probe,
    [Symbol.dispose]: () => {
      isDisposed = true;
      timer?.cancel();
    },
  };
}
