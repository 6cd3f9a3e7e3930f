import { concatBytes } from '../bytes.ts';
import type { Role } from '../noise/patterns.ts';
import type { Primitives } from '../primitives.ts';
import { SecretBytes } from '../secret-bytes.ts';
import type { Tickets } from './ticket-cache.ts';
import { keyOf, TICKET_ID_LENGTH, type Ticket, type TicketPeer } from './ticket-table.ts';

/** Named by both sides, it lets them keep tickets (NZ-HANDSHAKE-01 §5.7). A side names it exactly when it keeps them. */
export const RESUMPTION_FEATURE = 'resume';

const SECRET_LENGTH = 32;
const TICKET_LENGTH = TICKET_ID_LENGTH + SECRET_LENGTH;
const encoder = new TextEncoder();
const TICKETS_LABEL = encoder.encode('NZ-HANDSHAKE-01/tickets');
const PSK_LABEL = encoder.encode('NZ-HANDSHAKE-01/resumption-psk');

/** What is derived of a ticket. */
type TicketSecrets = Pick<Ticket, 'id' | 'idKey' | 'secret'>;

/** What both sides of a handshake can resume it with. */
export interface Resumption extends Disposable {
  /**
   * Makes the tickets and puts them into the cache; once. When the result is replayable, call it after the first record has
   * been opened, not before: who repeats old messages must not push out tickets.
   */
  keep(): void;
}

/** What a handshake was about whose tickets are made. */
export interface ResumptionOptions {
  readonly cache: Tickets;
  readonly role: Role;
  readonly localIdentity: Uint8Array;
  readonly remote: TicketPeer;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly primitives: Primitives;
}

class PendingTickets implements Resumption {
  readonly #options: ResumptionOptions;
  #keys: Uint8Array | undefined;
  readonly #handshakeHash: Uint8Array;

  constructor(
    keys: readonly [initiator: Uint8Array, responder: Uint8Array],
    handshakeHash: Uint8Array,
    options: ResumptionOptions,
  ) {
    this.#keys = concatBytes(...keys);
    this.#handshakeHash = new Uint8Array(handshakeHash);
    this.#options = options;
  }

  keep(): void {
    if (!this.#keys) return;
    const { role, cache, localIdentity, remote, expiresAt, primitives } = this.#options;
    const [byInitiator, byResponder] = deriveTickets(this.#keys, this.#handshakeHash, primitives);
    this[Symbol.dispose]();
    const [ours, theirs] = role === 'initiator' ? [byInitiator, byResponder] : [byResponder, byInitiator];
    const isOfOwnDial = role === 'initiator';
    const common = { localIdentity, remote, remoteKey: keyOf(remote.identity), expiresAt, isOfOwnDial };
    cache.add({ dialling: { ...ours, ...common }, accepting: { ...theirs, ...common } });
  }

  [Symbol.dispose](): void {
    if (this.#keys) this.#options.primitives.wipe(this.#keys);
    this.#keys = undefined;
  }
}

/**
 * Keeps what tickets are made of until it is decided whether they are wanted.
 * @param keys - Split's keys, the initiator's sending key first; copied, as the hash is.
 */
export function createResumption(
  keys: readonly [initiator: Uint8Array, responder: Uint8Array],
  handshakeHash: Uint8Array,
  options: ResumptionOptions,
): Resumption {
  return new PendingTickets(keys, handshakeHash, options);
}

/**
 * The ticket that the handshake's initiator dials with, and that of its responder (NZ-HANDSHAKE-01 §5.7):
 *
 *     id (16) | secret (32) | id (16) | secret (32)
 *
 * @param keys - Split's keys, joined.
 */
export function deriveTickets(
  keys: Uint8Array,
  handshakeHash: Uint8Array,
  primitives: Primitives,
): readonly [initiator: TicketSecrets, responder: TicketSecrets] {
  const options = { salt: handshakeHash, info: TICKETS_LABEL, length: 2 * TICKET_LENGTH };
  const output = primitives.hkdf('blake2b', keys, options);
  const ticketAt = (at: number): TicketSecrets => {
    const id = output.slice(at, at + TICKET_ID_LENGTH);
    const secret = SecretBytes.from(output.subarray(at + TICKET_ID_LENGTH, at + TICKET_LENGTH));
    return { id, idKey: keyOf(id), secret };
  };
  return [ticketAt(0), ticketAt(TICKET_LENGTH)];
}

/** The psk of a resumed handshake; in a private network its key is part of it (NZ-HANDSHAKE-01 §5.7). The caller wipes it. */
export function resumptionPsk(
  ticket: Ticket,
  networkKey: Uint8Array | undefined,
  primitives: Primitives,
): Uint8Array {
  return ticket.secret.use((secret) => {
    if (!networkKey) return new Uint8Array(secret);
    return primitives.hkdf('blake2b', secret, { salt: networkKey, info: PSK_LABEL, length: SECRET_LENGTH });
  });
}
