import type { TicketCache } from '@nzcore/crypto/handshake';
import { isPeerId, type PeerId } from '@nzcore/identity';
import { type ParsedAddress, parseAddress } from '../address/address.ts';
import type { AddressBook } from '../address/address-book.ts';
import type { Connection } from '../connection/connection.ts';
import type { StreamHandler } from '../connection/upgrade-options.ts';
import type { Upgrader } from '../connection/upgrader.ts';
import { TransportError } from '../errors.ts';
import type { SharedMemory } from '../messages/shared-memory.ts';
import type { Clock } from '../time/clock.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import type { Transport } from '../transport.ts';
import type { ResolvedConnectionLimits } from './admission.ts';
import type { Bans } from './bans.ts';
import type { Closing } from './closing.ts';
import { dialAddress } from './dial-address.ts';
import { type DialPolicy, orderCandidates } from './dial-order.ts';
import { raceDials } from './dial-race.ts';
import type { OnTransportEvent } from './transport-event.ts';

export interface DiallerOptions {
  readonly transports: readonly Transport[];
  readonly upgrader: Upgrader;
  readonly addressBook: AddressBook;
  readonly bans: Bans;
  readonly policy: DialPolicy;
  readonly limits: ResolvedConnectionLimits;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** Milliseconds for one address: connecting and handshake together. */
  readonly dialTimeout: number;
  readonly onStream: StreamHandler;
  readonly sharedMemory: SharedMemory;
  readonly tickets: TicketCache;
  readonly emit: OnTransportEvent;
  /** Ends every dial when the manager closes. */
  readonly closing: Closing;
  /** Takes a connection over; called in the same tick as the race is won. @throws when there is no place for it */
  readonly enroll: (connection: Connection) => void;
}

/** Who is dialled, and where: an address that the caller knows is tried before those of the address book. */
export interface DialTarget {
  readonly peer: PeerId | undefined;
  readonly address: ParsedAddress | undefined;
}

/** Dials peers over all addresses that are known, one dial at a time for each target. */
export interface Dialler {
  /** Starts a dial or joins one that is under way. The dial ends when all who joined it have given up. */
  dial(target: DialTarget, signal: AbortSignal | undefined): Promise<Connection>;
  /** A connection to the peer came from elsewhere: whoever waits for one has it. The dial goes on and is resolved as a duplicate. */
  satisfy(connection: Connection): void;
  readonly pending: number;
}

interface PendingDial {
  readonly peer: PeerId | undefined;
  readonly controller: AbortController;
  readonly promise: Promise<Connection>;
  readonly resolve: (connection: Connection) => void;
  waiting: number;
}

export function createDialler(options: DiallerOptions): Dialler {
  const { limits, closing } = options;
  const pending = new Map<string, PendingDial>();

  function dial(target: DialTarget, signal: AbortSignal | undefined): Promise<Connection> {
    const key = `${target.peer ?? ''}|${target.address?.text ?? ''}`;
    let current = pending.get(key);
    if (!current) {
      if (pending.size >= limits.maxPendingOutbound) {
        return Promise.reject(new TransportError('LIMIT_EXCEEDED', 'too many dials are under way'));
      }
      current = start(key, target);
    }
    return join(key, current, signal);
  }

  function start(key: string, target: DialTarget): PendingDial {
    const controller = new AbortController();
    const ending = closing.onClose((reason) => controller.abort(reason));
    let resolve: (connection: Connection) => void = () => {};
    let reject: (reason: unknown) => void = () => {};
    const promise = new Promise<Connection>((onDone, onFailed) => {
      resolve = onDone;
      reject = onFailed;
    });
    promise.catch(() => {});
    const entry: PendingDial = { peer: target.peer, controller, promise, resolve, waiting: 0 };
    pending.set(key, entry);
    dialTarget(target, controller.signal, options)
      .then(resolve, reject)
      .finally(() => {
        ending[Symbol.dispose]();
        if (pending.get(key) === entry) pending.delete(key);
      });
    return entry;
  }

  function join(key: string, entry: PendingDial, signal: AbortSignal | undefined): Promise<Connection> {
    entry.waiting++;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        signal?.removeEventListener('abort', onAbort);
        entry.waiting--;
      };
      const onAbort = (): void => {
        leave();
        reject(signal?.reason);
        if (entry.waiting > 0) return;
        // Nobody may join a dial that is given up.
        if (pending.get(key) === entry) pending.delete(key);
        entry.controller.abort(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      entry.promise.then(resolve, reject).finally(leave);
    });
  }

  return {
    dial,
    satisfy: (connection) => {
      for (const entry of pending.values()) {
        if (entry.peer === connection.remotePeer) entry.resolve(connection);
      }
    },
    get pending(): number {
      return pending.size;
    },
  };
}

async function dialTarget(
  target: DialTarget,
  signal: AbortSignal,
  options: DiallerOptions,
): Promise<Connection> {
  const { transports, addressBook, bans, policy, clock } = options;
  const known = target.peer === undefined ? [] : addressBook.addresses(target.peer);
  const ordered = orderCandidates(known, transports, policy, clock.now());
  const candidates = ordered.filter(({ address }) => address.text !== target.address?.text);
  if (target.address) {
    const transport = transports.find((one) => one.canDial(target.address!.text));
    if (transport) candidates.unshift({ address: target.address, transport, reach: undefined });
  }
  if (candidates.length === 0)
    throw new TransportError('NO_ADDRESS', 'no address of the peer can be dialled');
  const allowed = candidates.filter(({ address }) => !bans.isAddressBanned(address.text));
  if (allowed.length === 0) throw new TransportError('BANNED', 'every address of the peer is banned');
  const dial = { peer: target.peer, hasRedialled: false };
  return raceDials(
    allowed.map(
      (candidate) => (race: AbortSignal) => dialAddress(candidate, dial, { ...options, signal: race }),
    ),
    {
      clock,
      signal,
      ...(policy.attemptDelay === undefined ? {} : { attemptDelay: policy.attemptDelay }),
      discard: (late) => late.abort(new TransportError('SUPERSEDED', 'another address answered first')),
    },
  ).then((connection) => {
    options.enroll(connection);
    return connection;
  });
}

/** Reads what `connect` was given. @throws TransportError `INVALID_ADDRESS` */
export function parseTarget(target: string): DialTarget {
  if (!target.startsWith('/')) {
    if (!isPeerId(target)) throw new TransportError('INVALID_ADDRESS', 'neither a PeerId nor an address');
    return { peer: target, address: undefined };
  }
  const address = parseAddress(target);
  return { peer: address.peer, address };
}
