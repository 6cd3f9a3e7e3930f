import { type Ticket, TicketTable } from './ticket-table.ts';

/** Milliseconds between a full handshake and the last one that resumes from it (NZ-HANDSHAKE-01 §9.1). */
export const TICKET_LIFETIME = 3_600_000;

/** Who resumes with whom, and when. */
export interface TicketQuery {
  readonly localIdentity: Uint8Array;
  readonly remoteIdentity: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** How many tickets a cache holds. Each costs about a kilobyte. */
export interface TicketCacheOptions {
  /** To dial with, of peers that this side has dialled. @defaultValue 1,024 */
  readonly maxDialling?: number;
  /** To dial with, of peers that have dialled this side: however many come, they push out none of the former. @defaultValue 512 */
  readonly maxReturning?: number;
  /** That others dial with. @defaultValue 2,048 */
  readonly maxAccepting?: number;
  /** Of each sort for one peer. @defaultValue 4: as many connections as the manager allows to a peer */
  readonly maxPerPeer?: number;
}

/**
 * What both sides of finished handshakes keep to resume them (NZ-HANDSHAKE-01 §5.7): in memory only, each ticket for one use.
 * One cache serves all handshakes of a peer, in both roles. Dispose of it when the peer ends.
 */
export interface TicketCache extends Disposable {
  /** Tickets that are held. */
  readonly size: number;
  /** There is something to resume with when this peer is dialled, unless it has expired. */
  has(identity: Uint8Array): boolean;
  /** Wipes what has expired. Call it now and then: expired tickets are not used, but nobody else wipes them. */
  expire(now: number): void;
  /** Wipes what there is to dial a peer with, when it cannot be resumed with. What the peer may dial with stays: it gets an answer. */
  forget(identity: Uint8Array): void;
}

/** What handshakes do with the cache; not for users. */
export class Tickets implements TicketCache {
  readonly #dialling: TicketTable;
  readonly #accepting: TicketTable;
  #isDisposed = false;

  constructor(options: TicketCacheOptions) {
    const { maxDialling = 1_024, maxReturning = 512, maxAccepting = 2_048, maxPerPeer = 4 } = options;
    this.#dialling = new TicketTable({ max: maxDialling, maxOfCallers: maxReturning, maxPerPeer });
    this.#accepting = new TicketTable({ max: maxAccepting, maxPerPeer });
  }

  get size(): number {
    return this.#dialling.size + this.#accepting.size;
  }

  /** Takes over what a handshake has left. */
  add(tickets: { readonly dialling: Ticket; readonly accepting: Ticket }): void {
    const { dialling, accepting } = tickets;
    if (this.#isDisposed) {
      dialling.secret.dispose();
      accepting.secret.dispose();
      return;
    }
    this.#dialling.add(dialling);
    this.#accepting.add(accepting);
  }

  /** Takes the newest ticket to dial a peer with; its owner disposes of the secret, or gives it back unused. */
  take({ localIdentity, remoteIdentity, now }: TicketQuery): Ticket | undefined {
    const ticket = this.#dialling.newest(remoteIdentity);
    if (!ticket || !isUsable(ticket, localIdentity, now)) return undefined;
    this.#dialling.remove(ticket);
    return ticket;
  }

  /** A ticket that was taken and that nobody has heard of. */
  giveBack(ticket: Ticket): void {
    if (this.#isDisposed) ticket.secret.dispose();
    else this.#dialling.add(ticket);
  }

  /** The ticket that somebody dials with; it stays until `spend`, for its id is no proof. */
  find(id: Uint8Array, localIdentity: Uint8Array, now: number): Ticket | undefined {
    const ticket = this.#accepting.find(id);
    return ticket && isUsable(ticket, localIdentity, now) ? ticket : undefined;
  }

  /** The message that names this ticket was authentic: no other one will be. */
  spend(ticket: Ticket): void {
    this.#accepting.remove(ticket);
    ticket.secret.dispose();
  }

  has(identity: Uint8Array): boolean {
    return this.#dialling.newest(identity) !== undefined;
  }

  expire(now: number): void {
    for (const table of [this.#dialling, this.#accepting]) table.retain((ticket) => isTimely(ticket, now));
  }

  forget(identity: Uint8Array): void {
    this.#dialling.forget(identity);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const table of [this.#dialling, this.#accepting]) table.retain(() => false);
  }
}

/** A ticket that has more to live than any can have is older than a clock that was set back. */
function isTimely({ expiresAt }: Ticket, now: number): boolean {
  return now < expiresAt && expiresAt - now <= TICKET_LIFETIME;
}

/** Identities are public: they are compared as they come. */
function isUsable(ticket: Ticket, localIdentity: Uint8Array, now: number): boolean {
  return isTimely(ticket, now) && ticket.localIdentity.every((byte, i) => byte === localIdentity[i]);
}

/** @throws TypeError for a cache that is not made by {@link createTicketCache}. */
export function ticketsOf(cache: TicketCache): Tickets {
  if (!(cache instanceof Tickets)) throw new TypeError('tickets is what createTicketCache makes');
  return cache;
}

/** Makes a cache; nothing is kept on disk, ever. */
export function createTicketCache(options: TicketCacheOptions = {}): TicketCache {
  return new Tickets(options);
}
