import { ChannelSecrets } from '../channel/secrets.ts';
import type { HandshakeState } from '../noise/handshake-state.ts';
import type { HandshakeContext } from './context.ts';
import type { Header } from './header.ts';
import { type Agreement, negotiate } from './negotiation.ts';
import type { Offer, Terms } from './offer.ts';
import { createResumption, RESUMPTION_FEATURE, type Resumption } from './resumption.ts';
import { TICKET_LIFETIME } from './ticket-cache.ts';
import type { Ticket, TicketPeer } from './ticket-table.ts';
import type { HandshakeResult } from './types.ts';

/** What the messages have brought. */
export interface Outcome {
  readonly header: Header;
  /** The other side's. */
  readonly terms: Terms;
  readonly peer: TicketPeer;
  /** What it resumed with. */
  readonly ticket?: Ticket;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Who an offer is from, once its checks are passed. */
export function peerOf({ identity, certificate }: Offer, noise: HandshakeState): TicketPeer {
  return { identity, staticKey: noise.remoteStaticKey!, staticKeyExpiresAt: certificate.expiresAt };
}

/**
 * Ends a handshake whose messages are all exchanged (NZ-HANDSHAKE-01 §10); the Noise state is wiped.
 * @throws HandshakeError as {@link negotiate}.
 */
export function createResult(
  context: HandshakeContext,
  noise: HandshakeState,
  outcome: Outcome,
): HandshakeResult {
  const { role } = context.options;
  const { header, terms, peer } = outcome;
  const agreement = negotiate(role, context.offer, terms);
  const { sendKey, receiveKey, handshakeHash } = noise.split();
  const keys = role === 'initiator' ? ([sendKey, receiveKey] as const) : ([receiveKey, sendKey] as const);
  const resumption = resumptionOf(context, outcome, { keys, handshakeHash, agreement });
  const secrets = new ChannelSecrets(keys, handshakeHash, context.primitives);
  const earlyData = role === 'responder' ? terms.earlyData : undefined;
  return {
    role,
    pattern: header.pattern,
    // Copies: what the result holds is the user's, and a ticket stands for nobody else when it is changed.
    remote: {
      ...peer,
      identity: new Uint8Array(peer.identity),
      staticKey: new Uint8Array(peer.staticKey),
      features: terms.features,
    },
    ...agreement,
    handshakeHash,
    ...(earlyData && { earlyData }),
    isReplayable: role === 'responder' && (header.pattern === 'IK' || header.pattern === 'NNpsk0'),
    secrets,
    ...(resumption && { resumption }),
  };
}

function resumptionOf(
  context: HandshakeContext,
  { peer, ticket, now }: Outcome,
  agreed: { keys: readonly [Uint8Array, Uint8Array]; handshakeHash: Uint8Array; agreement: Agreement },
): Resumption | undefined {
  const { tickets: cache, offer, options, primitives } = context;
  if (!cache || !agreed.agreement.features.includes(RESUMPTION_FEATURE)) return undefined;
  // A resumed handshake proves no identity anew: its tickets end when those of the full one would have.
  const { certificate } = offer;
  const expiresAt =
    ticket?.expiresAt ?? Math.min(certificate.expiresAt, peer.staticKeyExpiresAt, now + TICKET_LIFETIME);
  return createResumption(agreed.keys, agreed.handshakeHash, {
    cache,
    role: options.role,
    localIdentity: options.identity.publicKey,
    remote: peer,
    expiresAt,
    primitives,
  });
}
