import { createTicketCache, type TicketCache } from '@nzcore/crypto/handshake';
import type { Clock } from '../time/clock.ts';

/** Milliseconds between looks for tickets that have expired: they are not used any more, only wiped. */
const SWEEP_INTERVAL = 60_000;

/** The tickets of a connection manager, wiped when they have expired and when it ends. */
export interface TicketKeeper extends Disposable {
  readonly tickets: TicketCache;
  /** There may be tickets now. */
  watch(): void;
}

/** A timer of its own, which runs once a minute while there are tickets: a wheel would turn four times a second for them. */
export function createTicketKeeper(clock: Clock): TicketKeeper {
  const tickets = createTicketCache();
  let handle: unknown;
  let isDisposed = false;
  const watch = (): void => {
    if (!isDisposed) handle ??= clock.setTimeout(sweep, SWEEP_INTERVAL);
  };
  const sweep = (): void => {
    handle = undefined;
    tickets.expire(clock.now());
    if (tickets.size > 0) watch();
  };
  return {
    tickets,
    watch,
    [Symbol.dispose]: () => {
      isDisposed = true;
      clock.clearTimeout(handle);
      tickets[Symbol.dispose]();
    },
  };
}
