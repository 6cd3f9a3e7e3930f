import { createHandshake, type Handshake, HandshakeError } from '@nzcore/crypto/handshake';
import { type PeerId, publicKeyFromPeerId } from '@nzcore/identity';
import type { WheelTimer } from '../time/timer-wheel.ts';
import { TokenBucket } from '../token-bucket.ts';
import type { EndpointContext } from './datagram-endpoint.ts';
import { encodeExchange, encodeHello, sessionName } from './datagram-packet.ts';
import type { PendingRequest } from './pending-request.ts';

/**
 * Handshake messages a second that one handshake tries, after a burst of twice as many: anybody on the path can send some, and
 * each costs two key agreements.
 */
export const HANDSHAKE_TRIES = 8;

/** A handshake under way, with all that wait for it. */
export interface Opening {
  readonly key: string;
  readonly name: string;
  readonly peer: PeerId;
  readonly address: string;
  readonly handshake: Handshake;
  readonly hello: Uint8Array;
  /** The request within the hello. */
  readonly early: PendingRequest | undefined;
  readonly waiting: Set<PendingRequest>;
  readonly tries: TokenBucket;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** Bytes of handshake messages that came. */
  received: number;
  /** Somebody else has answered, and the right one has a moment to do so as well. */
  mismatch: WheelTimer | undefined;
}

export const openingKey = (peer: PeerId, address: string): string => `${peer}@${address}`;

/** Makes the hello; nothing is sent. */
export function createOpening(first: PendingRequest, context: EndpointContext): Opening {
  const { peer, address } = first;
  const name = sessionName(context.newName());
  const { handshake, hello, isEarly } = startHandshake(first, name, context);
  return {
    key: openingKey(peer, address),
    name,
    peer,
    address,
    handshake,
    hello,
    early: isEarly ? first : undefined,
    waiting: new Set([first]),
    tries: new TokenBucket(2 * HANDSHAKE_TRIES, HANDSHAKE_TRIES),
    startedAt: context.wheel.now(),
    received: 0,
    mismatch: undefined,
  };
}

function startHandshake(
  first: PendingRequest,
  name: string,
  { options, clock }: EndpointContext,
): { handshake: Handshake; hello: Uint8Array; isEarly: boolean } {
  const staticKey = options.staticKeyOf?.(first.peer);
  const now = clock.now();
  const base = {
    role: 'initiator' as const,
    isOverDatagrams: true,
    identity: options.identity.handshakeIdentity(now),
    expectedIdentity: publicKeyFromPeerId(first.peer),
    ...(options.networkKey ? { networkKey: options.networkKey } : {}),
    ...(staticKey ? { remoteStaticKey: staticKey } : {}),
  };
  if (staticKey !== undefined && first.isRepeatable) {
    const earlyData = encodeExchange({ type: 'request', number: 1, content: first.content });
    const handshake = createHandshake({ ...base, earlyData });
    const hello = encodeHello(name, handshake.start(now));
    if (hello) return { handshake, hello, isEarly: true };
    // Too long together: the request follows in a packet of its own.
    handshake[Symbol.dispose]();
  }
  const handshake = createHandshake(base);
  const hello = encodeHello(name, handshake.start(now));
  if (!hello) throw new RangeError('a handshake message does not fit into a packet');
  return { handshake, hello, isEarly: false };
}

/**
 * What a message that failed says about the peer: nothing when anybody could have made it, that somebody else answers, or that the
 * peer itself cannot be spoken with (NZ-HANDSHAKE-01 §2.3).
 */
export function judgeFailure(error: unknown): 'forged' | 'somebody-else' | 'final' {
  if (!(error instanceof HandshakeError)) return 'final';
  if (error.code === 'INVALID_MESSAGE') return 'forged';
  return error.code === 'IDENTITY_MISMATCH' ? 'somebody-else' : 'final';
}
