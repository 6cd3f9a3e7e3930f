import { concatBytes } from '../bytes.ts';
import type { HandshakeKeys } from '../noise/handshake-keys.ts';
import { HandshakeState } from '../noise/handshake-state.ts';
import { createSuite, nativeHash } from '../noise/suite.ts';
import type { Primitives } from '../primitives.ts';
import { encodeHeader, type Header, protocolOf } from './header.ts';
import type { Offer } from './offer.ts';
import { resumptionPsk } from './resumption.ts';
import type { Tickets } from './ticket-cache.ts';
import type { Ticket } from './ticket-table.ts';
import type { HandshakeOptions } from './types.ts';

const PROLOGUE = new TextEncoder().encode('NZ-HANDSHAKE-01');

/** What a handshake starts from, and what its messages have in common. */
export interface HandshakeContext {
  readonly options: HandshakeOptions;
  readonly primitives: Primitives;
  readonly networkKey: Uint8Array | undefined;
  /** What this side says about itself. */
  readonly offer: Offer;
  readonly tickets: Tickets | undefined;
}

/** The Noise handshake that the header of message 1 selects (NZ-HANDSHAKE-01 §3.2). */
export function createNoise(context: HandshakeContext, header: Header): HandshakeState {
  const { identity, remoteStaticKey, role } = context.options;
  const isKnown = header.pattern === 'IK' && role === 'initiator' && remoteStaticKey;
  return createState(context, header, {
    prologue: concatBytes(PROLOGUE, encodeHeader(header)),
    staticKeyPair: identity.staticKeyPair,
    ...(isKnown && { remoteStaticKey }),
    ...(context.networkKey && { psks: [context.networkKey] }),
  });
}

/** NNpsk0 with a ticket's secret (NZ-HANDSHAKE-01 §5.7). */
export function createResuming(context: HandshakeContext, header: Header, ticket: Ticket): HandshakeState {
  const { networkKey, primitives } = context;
  const psk = resumptionPsk(ticket, networkKey, primitives);
  const prologue = concatBytes(PROLOGUE, encodeHeader(header), ticket.id);
  const noise = createState(context, header, { prologue, psks: [psk] });
  primitives.wipe(psk);
  return noise;
}

/** What XXfallback starts from (NZ-HANDSHAKE-01 §5.6), besides the initiator's ephemeral key. `first` is message 1 as it was sent. */
export function fallbackKeys(context: HandshakeContext, header: Header, first: Uint8Array): HandshakeKeys {
  return {
    prologue: concatBytes(PROLOGUE, encodeHeader(header), first),
    staticKeyPair: context.options.identity.staticKeyPair,
    ...(context.networkKey && { psks: [context.networkKey] }),
  };
}

/** A Noise state of the profile. */
export function createState(
  { options, primitives }: HandshakeContext,
  header: Header,
  keys: HandshakeKeys,
): HandshakeState {
  const { name, pattern } = protocolOf(header);
  const suite = createSuite('ChaChaPoly', nativeHash('BLAKE2b', primitives), primitives);
  return new HandshakeState(suite, pattern, name, options.role, keys);
}
