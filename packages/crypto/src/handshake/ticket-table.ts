import type { SecretBytes } from '../secret-bytes.ts';

/** Bytes of a ticket's id, which travels in the clear (NZ-HANDSHAKE-01 §5.7). */
export const TICKET_ID_LENGTH = 16;

/** Whom a ticket stands for: what the handshake had proved that it comes from. */
export interface TicketPeer {
  /** Ed25519, 32 bytes. */
  readonly identity: Uint8Array;
  /** X25519, 32 bytes. */
  readonly staticKey: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly staticKeyExpiresAt: number;
}

/** The right to resume once, on one of its two sides. */
export interface Ticket {
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** 32 bytes. */
  readonly secret: SecretBytes;
  /** This side's identity in the handshake that the ticket comes from: it resumes under no other one. */
  readonly localIdentity: Uint8Array;
  readonly remote: TicketPeer;
  /** The id and the other side's identity, as keys of maps. */
  readonly idKey: string;
  readonly remoteKey: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** It comes from a handshake that this side began: somebody here wanted that peer, which no stranger can bring about. */
  readonly isOfOwnDial: boolean;
}

/** How many tickets are kept. */
export interface TicketTableLimits {
  readonly max: number;
  /** Room of their own for tickets of peers that dialled this side. @defaultValue none: all share `max` */
  readonly maxOfCallers?: number;
  /** Of one peer. */
  readonly maxPerPeer: number;
}

/** Bytes as the key of a map. */
export function keyOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** As many tickets as one sort of them may be, by id, the oldest first. */
interface Room {
  readonly max: number;
  readonly byId: Map<string, Ticket>;
}

/** Tickets by id and by peer, the oldest first. Whatever is pushed out is wiped. */
export class TicketTable {
  readonly #maxPerPeer: number;
  /** That of who this side dialled first, that of who dialled it last; it may be the same one. */
  readonly #rooms: readonly Room[];
  readonly #byPeer = new Map<string, Ticket[]>();

  constructor({ max, maxOfCallers, maxPerPeer }: TicketTableLimits) {
    this.#maxPerPeer = maxPerPeer;
    const sizes = maxOfCallers === undefined ? [max] : [max, maxOfCallers];
    this.#rooms = sizes.map((size) => ({ max: size, byId: new Map() }));
  }

  get size(): number {
    return this.#rooms.reduce((sum, { byId }) => sum + byId.size, 0);
  }

  /** Takes a ticket over. A peer pushes out its own tickets first: nobody loses his because another one has many. */
  add(ticket: Ticket): void {
    const peer = ticket.remoteKey;
    const siblings = this.#byPeer.get(peer) ?? [];
    if (siblings.length >= this.#maxPerPeer) this.#drop(siblings[0]!);
    const { byId, max } = this.#roomOf(ticket);
    if (byId.size >= max) {
      const [oldest] = byId.values();
      if (oldest) this.#drop(oldest);
    }
    byId.set(ticket.idKey, ticket);
    const list = this.#byPeer.get(peer);
    if (list) list.push(ticket);
    else this.#byPeer.set(peer, [ticket]);
  }

  find(id: Uint8Array): Ticket | undefined {
    const key = keyOf(id);
    for (const { byId } of this.#rooms) {
      const ticket = byId.get(key);
      if (ticket) return ticket;
    }
    return undefined;
  }

  /** The newest ticket of a peer. */
  newest(identity: Uint8Array): Ticket | undefined {
    return this.#byPeer.get(keyOf(identity))?.at(-1);
  }

  /** Takes a ticket out; its secret is the caller's from now on. */
  remove(ticket: Ticket): void {
    if (!this.#roomOf(ticket).byId.delete(ticket.idKey)) return;
    const peer = ticket.remoteKey;
    const siblings = this.#byPeer.get(peer) ?? [];
    siblings.splice(siblings.indexOf(ticket), 1);
    if (siblings.length === 0) this.#byPeer.delete(peer);
  }

  /** Wipes the tickets of a peer. */
  forget(identity: Uint8Array): void {
    for (const ticket of [...(this.#byPeer.get(keyOf(identity)) ?? [])]) this.#drop(ticket);
  }

  /** Wipes the tickets that are not to be kept. */
  retain(isKept: (ticket: Ticket) => boolean): void {
    for (const { byId } of this.#rooms) {
      for (const ticket of [...byId.values()]) if (!isKept(ticket)) this.#drop(ticket);
    }
  }

  #roomOf(ticket: Ticket): Room {
    return (ticket.isOfOwnDial ? this.#rooms[0] : this.#rooms.at(-1))!;
  }

  #drop(ticket: Ticket): void {
    this.remove(ticket);
    ticket.secret.dispose();
  }
}
