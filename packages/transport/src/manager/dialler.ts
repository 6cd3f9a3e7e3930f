import type { TicketCache } from '@nzcore/crypto/handshake';
import { isPeerId, type PeerId, publicKeyFromPeerId } from '@nzcore/identity';
import { type ParsedAddress, parseAddress } from '../address/address.ts';
import type { AddressBook } from '../address/address-book.ts';
import { isWithinReach } from '../address/reach.ts';
import type { Connection } from '../connection/connection.ts';
import type { StreamHandler } from '../connection/upgrade-options.ts';
import type { Upgrader } from '../connection/upgrader.ts';
import { TransportError } from '../errors.ts';
import type { MemoryBudget } from '../messages/memory-budget.ts';
import type { Clock } from '../time/clock.ts';
import { createDeadline } from '../time/deadline.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import type { Transport } from '../transport.ts';
import type { ResolvedConnectionLimits } from './admission.ts';
import type { Bans } from './bans.ts';
import type { Closing } from './closing.ts';
import { type DialCandidate, type DialPolicy, orderCandidates } from './dial-order.ts';
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
  readonly sharedMemory: MemoryBudget;
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
  const allowed = candidates.filter(({ address }) => !bans.isAddressBanned(address.text));
  if (allowed.length === 0) {
    throw new TransportError('NO_ADDRESS', 'no address of the peer can be dialled');
  }
  return raceDials(
    allowed.map((candidate) => (race: AbortSignal) => dialAddress(candidate, target.peer, race, options)),
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

async function dialAddress(
  candidate: DialCandidate,
  peer: PeerId | undefined,
  race: AbortSignal,
  options: DiallerOptions,
): Promise<Connection> {
  const { addressBook, wheel, dialTimeout, emit } = options;
  const { address, reach } = candidate;
  const late = (): TransportError =>
    new TransportError('DIAL_FAILED', `${address.text} did not answer in time`);
  const deadline = createDeadline(wheel, dialTimeout, late, race);
  try {
    const connection = await dialWithKey(candidate, peer, deadline.signal, options);
    addressBook.recordSuccess(connection.remotePeer, address.text, connection.remoteStaticKey, reach);
    return connection;
  } catch (error) {
    // An attempt that was given up says nothing about the address.
    if (!race.aborted) {
      if (peer !== undefined) addressBook.recordFailure(peer, address.text);
      emit({ type: 'dial-failed', peer, address: address.text, error });
    }
    throw error;
  } finally {
    deadline[Symbol.dispose]();
  }
}

/** Tries the shortest handshake first; a peer that has neither that ticket or key nor the fallback gets the long one at once. */
async function dialWithKey(
  candidate: DialCandidate,
  peer: PeerId | undefined,
  signal: AbortSignal,
  options: DiallerOptions,
): Promise<Connection> {
  const { addressBook, tickets } = options;
  if (peer === undefined) return dialOnce(candidate, peer, undefined, signal, options);
  const key = addressBook.staticKey(peer);
  const identity = publicKeyFromPeerId(peer);
  const isKnown = key !== undefined || tickets.has(identity);
  try {
    return await dialOnce(candidate, peer, key, signal, options);
  } catch (error) {
    const isHandshake = error instanceof TransportError && error.code === 'HANDSHAKE_FAILED';
    if (!isKnown || !isHandshake || signal.aborted) throw error;
    addressBook.forgetStaticKey(peer);
    tickets.forget(identity);
    return dialOnce(candidate, peer, undefined, signal, options);
  }
}

async function dialOnce(
  { transport, address, reach }: DialCandidate,
  peer: PeerId | undefined,
  remoteStaticKey: Uint8Array | undefined,
  signal: AbortSignal,
  options: DiallerOptions,
): Promise<Connection> {
  const { upgrader, wheel, onStream, sharedMemory, tickets, bans } = options;
  const dialled = transport.dial(address.text, {
    signal,
    // Asked of what a name resolves to.
    isAllowedIp: (ip) => (reach === undefined || isWithinReach(ip, reach)) && !bans.isIpBanned(ip),
  });
  try {
    return await upgrader.outbound(dialled, {
      signal,
      timers: wheel,
      onStream,
      sharedMemory,
      tickets,
      expectedPeer: peer,
      remoteStaticKey,
    });
  } catch (error) {
    // The upgrader may have failed before it took the stream over.
    dialled.then((bytes) => bytes.destroy(error as Error)).catch(ignore);
    throw error;
  }
}

/** A dial that failed has been told by the upgrader. */
function ignore(): void {}

/** Reads what `connect` was given. @throws TransportError `INVALID_ADDRESS` */
export function parseTarget(target: string): DialTarget {
  if (!target.startsWith('/')) {
    if (!isPeerId(target)) throw new TransportError('INVALID_ADDRESS', 'neither a PeerId nor an address');
    return { peer: target, address: undefined };
  }
  const address = parseAddress(target);
  return { peer: address.peer, address };
}
