import type { TicketCache } from '@nzcore/crypto/handshake';
import type { ByteConnection } from '../byte-connection.ts';
import type { Connection } from '../connection/connection.ts';
import type { StreamHandler } from '../connection/upgrade-options.ts';
import type { Upgrader } from '../connection/upgrader.ts';
import { TransportError } from '../errors.ts';
import type { SharedMemory } from '../messages/shared-memory.ts';
import { createDeadline } from '../time/deadline.ts';
import type { TimerWheel } from '../time/timer-wheel.ts';
import type { Admission, AdmissionControl, RefusalReason } from './admission.ts';
import type { Bans } from './bans.ts';
import type { Closing } from './closing.ts';
import type { OnTransportEvent } from './transport-event.ts';

export interface AcceptorOptions {
  readonly upgrader: Upgrader;
  readonly admission: AdmissionControl;
  readonly bans: Bans;
  readonly wheel: TimerWheel;
  /** Handshakes under way at most; above it the oldest is given up. */
  readonly maxPending: number;
  /** Milliseconds in which the handshake must be over, whatever trickles in. */
  readonly handshakeTimeout: number;
  readonly onStream: StreamHandler;
  readonly sharedMemory: SharedMemory;
  readonly tickets: TicketCache;
  readonly emit: OnTransportEvent;
  readonly closing: Closing;
  /** @throws when there is no place for it */
  readonly enroll: (connection: Connection, admission: Admission) => void;
}

interface PendingHandshake {
  readonly admission: Admission;
  abort: (reason: TransportError) => void;
}

/** Takes byte streams that others dialled: counts them, gives the handshake its time, and hands authenticated ones on. */
export function createAcceptor(options: AcceptorOptions): (bytes: ByteConnection) => void {
  const { admission, bans, closing, emit, maxPending } = options;
  /** Handshakes under way, the oldest first. */
  const pending = new Set<PendingHandshake>();

  /** An honest handshake takes milliseconds: the one that has waited longest is the likeliest to say nothing ever. */
  function evictOldest(): void {
    const [oldest] = pending;
    if (!oldest) return;
    pending.delete(oldest);
    oldest.admission.release();
    oldest.abort(new TransportError('LIMIT_EXCEEDED', 'too many handshakes are under way'));
  }

  return (bytes) => {
    const address = bytes.remoteAddress;
    const refuse = (reason: RefusalReason): void => {
      bytes.destroy();
      emit({ type: 'inbound-refused', address, reason });
    };
    if (closing.reason) return refuse('closing');
    if (bans.isAddressBanned(address)) return refuse('banned');
    const admitted = admission.admit(address);
    if (typeof admitted === 'string') return refuse(admitted);
    if (admission.pending > maxPending) evictOldest();
    const entry: PendingHandshake = { admission: admitted, abort: () => {} };
    pending.add(entry);
    upgrade(bytes, entry, options)
      .catch((error: unknown) => {
        admitted.release();
        bytes.destroy();
        emit({ type: 'handshake-failed', direction: 'inbound', address, error });
      })
      .finally(() => pending.delete(entry));
  };
}

async function upgrade(
  bytes: ByteConnection,
  pending: PendingHandshake,
  options: AcceptorOptions,
): Promise<void> {
  const { upgrader, wheel, handshakeTimeout, onStream, sharedMemory, tickets, closing, enroll } = options;
  const late = (): TransportError =>
    new TransportError('HANDSHAKE_TIMEOUT', `no handshake within ${handshakeTimeout} ms`);
  const deadline = createDeadline(wheel, handshakeTimeout, late);
  pending.abort = (reason) => deadline.abort(reason);
  const ending = closing.onClose(pending.abort);
  try {
    const connection = await upgrader.inbound(bytes, {
      signal: deadline.signal,
      timers: wheel,
      onStream,
      sharedMemory,
      tickets,
    });
    pending.admission.established();
    enroll(connection, pending.admission);
  } finally {
    ending[Symbol.dispose]();
    deadline[Symbol.dispose]();
  }
}
