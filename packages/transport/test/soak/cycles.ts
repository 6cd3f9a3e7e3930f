import { setImmediate as tick } from 'node:timers/promises';
import type { PeerId } from '@nzcore/identity';
import { createSecurePeer, exchange, type SecurePeer, serveEcho } from '../secure-peer.ts';

/** Two whole peers in this process, one of them listening. */
export interface SoakPeers extends AsyncDisposable {
  readonly dialler: SecurePeer;
  readonly listener: SecurePeer;
  /** The listener's address with `/p2p`. */
  readonly target: string;
}

export async function openSoakPeers(): Promise<SoakPeers> {
  const quiet = { onEvent: () => undefined };
  const [dialler, listener] = [createSecurePeer(1, quiet), createSecurePeer(2, quiet)];
  serveEcho(listener);
  const [address] = await listener.manager.listen('/ip4/127.0.0.1/tcp/0');
  return {
    dialler,
    listener,
    target: `${address}/p2p/${listener.identity.peerId}`,
    async [Symbol.asyncDispose]() {
      await dialler[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}

/** Looks at every turn of the event loop, without a timer. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await tick();
}

/** Connects, talks every fourth time, and ends in one of four ways: close or abort, on this side or the other. */
export async function connectAndClose(peers: SoakPeers, cycles: number): Promise<void> {
  const { dialler, listener, target } = peers;
  for (let cycle = 0; cycle < cycles; cycle++) {
    const connection = await dialler.manager.connect(target);
    if (cycle % 16 < 4) await exchange(await connection.openStream('/test/echo'), Uint8Array.of(1, 2, 3));
    await until(() => listener.manager.connections().length === 1);
    const [accepted] = listener.manager.connections();
    const ending = (cycle & 1) === 0 ? connection : accepted!;
    if ((cycle & 2) === 0) await ending.close();
    else ending.abort();
    await Promise.all([connection.closed, accepted!.closed]);
    await until(() => dialler.manager.connections().length + listener.manager.connections().length === 0);
  }
}

/** Addresses that cannot be connected to, each for another reason. */
export interface DeadEnds {
  /** Nobody listens. */
  readonly refused: string;
  /** Somebody else answers. */
  readonly impostor: string;
  /** Answers with bytes that are no handshake. */
  readonly garbage: string;
  /** Accepts and says nothing. */
  readonly silent: string;
}

/** Dials every dead end in turn; the silent one until the caller gives up. @returns how many dials failed as they had to. */
export async function failDials(peer: SecurePeer, deadEnds: DeadEnds, dials: number): Promise<number> {
  const targets = Object.values(deadEnds) as string[];
  let failed = 0;
  for (let dial = 0; dial < dials; dial++) {
    const target = targets[dial % targets.length]!;
    const signal = target === deadEnds.silent ? AbortSignal.timeout(2) : undefined;
    const outcome = peer.manager.connect(target, signal ? { signal } : {}).then(
      () => 'connected',
      () => 'failed',
    );
    if ((await outcome) === 'failed') failed++;
  }
  return failed;
}

/** The address with the name of a peer that is not there. */
export function asPeer(address: string, peerId: PeerId): string {
  return `${address}/p2p/${peerId}`;
}
