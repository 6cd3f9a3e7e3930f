import { type PeerId, publicKeyFromPeerId } from '@nzcore/identity';
import { isWithinReach } from '../address/reach.ts';
import type { Connection } from '../connection/connection.ts';
import { isUnanswered, isUnusableKey } from '../connection/connection-errors.ts';
import { TransportError } from '../errors.ts';
import { createDeadline } from '../time/deadline.ts';
import type { DialCandidate } from './dial-order.ts';
import type { DiallerOptions } from './dialler.ts';

/** One dial of a target, over all its addresses. */
export interface TargetDial {
  readonly peer: PeerId | undefined;
  /** One of its addresses was dialled a second time; no other one is, however many there are. */
  hasRedialled: boolean;
}

/** What a dial of one address needs; `signal` ends it when another address was faster. */
export type AddressDialOptions = Omit<DiallerOptions, 'closing' | 'limits' | 'enroll' | 'policy'> & {
  readonly signal: AbortSignal;
};

/** Dials one address within the time that there is for it, and remembers how that went. */
export async function dialAddress(
  candidate: DialCandidate,
  dial: TargetDial,
  options: AddressDialOptions,
): Promise<Connection> {
  const { addressBook, wheel, dialTimeout, emit, signal: race } = options;
  const { address, reach } = candidate;
  const { peer } = dial;
  const late = (): TransportError =>
    new TransportError('DIAL_FAILED', `${address.text} did not answer in time`);
  const deadline = createDeadline(wheel, dialTimeout, late, race);
  try {
    const connection = await dialWithKey(candidate, dial, { ...options, signal: deadline.signal });
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

/**
 * Tries the shortest handshake first. A peer that has neither that ticket nor that key says so, and the handshake goes on (§5.6). A second
 * dial is only for who may know no such message, and for a key that none can be made with: of a peer that has no place, or an address that
 * is another's, there is nothing to learn by dialling at once again.
 */
async function dialWithKey(
  candidate: DialCandidate,
  dial: TargetDial,
  options: AddressDialOptions,
): Promise<Connection> {
  const { addressBook, tickets, signal } = options;
  const { peer } = dial;
  if (peer === undefined) return dialOnce(candidate, peer, undefined, options);
  const identity = publicKeyFromPeerId(peer);
  const isResuming = tickets.has(identity);
  try {
    return await dialOnce(candidate, peer, addressBook.staticKey(peer), options);
  } catch (error) {
    const isRefused = isResuming && isUnanswered(error);
    const isKeyless = isUnusableKey(error);
    if (!(isRefused || isKeyless) || signal.aborted) throw error;
    if (isRefused) tickets.forget(identity);
    else addressBook.forgetStaticKey(peer);
    if (dial.hasRedialled || hasFailed(candidate, peer, options)) throw error;
    dial.hasRedialled = true;
    return dialOnce(candidate, peer, addressBook.staticKey(peer), options);
  }
}

/** It failed the last time: it is dialled when its time to wait is over, and then once. */
function hasFailed({ address }: DialCandidate, peer: PeerId, { addressBook }: AddressDialOptions): boolean {
  return addressBook.addresses(peer).some((entry) => entry.address === address.text && entry.failures > 0);
}

async function dialOnce(
  { transport, address, reach }: DialCandidate,
  peer: PeerId | undefined,
  remoteStaticKey: Uint8Array | undefined,
  options: AddressDialOptions,
): Promise<Connection> {
  const { upgrader, wheel, onStream, sharedMemory, tickets, bans, signal } = options;
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
