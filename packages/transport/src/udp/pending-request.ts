import type { PeerId } from '@nzcore/identity';
import type { WheelTimer } from '../time/timer-wheel.ts';
import type { DatagramSession } from './datagram-session.ts';

/** A request that waits for its answer. */
export interface PendingRequest {
  readonly peer: PeerId;
  readonly address: string;
  readonly content: Uint8Array;
  readonly isRepeatable: boolean;
  /** Settles the caller's promise, once. */
  readonly resolve: (content: Uint8Array) => void;
  readonly reject: (reason: unknown) => void;
  /** Where it was sent, once it was. */
  session: DatagramSession | undefined;
  number: number;
  repetitions: number;
  deadline: WheelTimer | undefined;
  repetition: WheelTimer | undefined;
}

/** Requests without an answer: all of them, and by the session and number that they were sent with. */
export class PendingRequests {
  readonly #all = new Set<PendingRequest>();
  readonly #sent = new Map<DatagramSession, Map<number, PendingRequest>>();

  get size(): number {
    return this.#all.size;
  }

  add(request: PendingRequest): void {
    this.#all.add(request);
  }

  /** Gives it a number of a session; an earlier one is forgotten. */
  assign(request: PendingRequest, session: DatagramSession, number: number): void {
    this.unassign(request);
    request.session = session;
    request.number = number;
    request.repetitions = 0;
    const numbers = this.#sent.get(session);
    if (numbers) numbers.set(number, request);
    else this.#sent.set(session, new Map([[number, request]]));
  }

  unassign(request: PendingRequest): void {
    const { session, number } = request;
    if (!session) return;
    request.session = undefined;
    const numbers = this.#sent.get(session);
    if (numbers?.get(number) === request) numbers.delete(number);
    if (numbers?.size === 0) this.#sent.delete(session);
  }

  /** Who waits for the answer: found at once, for a peer may send any numbers. */
  find(session: DatagramSession, number: number): PendingRequest | undefined {
    return this.#sent.get(session)?.get(number);
  }

  of(session: DatagramSession): PendingRequest[] {
    return [...(this.#sent.get(session)?.values() ?? [])];
  }

  all(): PendingRequest[] {
    return [...this.#all];
  }

  /** It has an answer, or gets none. @returns false when that was so before */
  delete(request: PendingRequest): boolean {
    if (!this.#all.delete(request)) return false;
    request.deadline?.cancel();
    request.repetition?.cancel();
    this.unassign(request);
    return true;
  }
}
