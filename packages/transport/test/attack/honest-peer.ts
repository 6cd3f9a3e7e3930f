import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ready } from '@nzcore/crypto';
import { identityFromSeed, type PeerId } from '@nzcore/identity';
import type { Connection } from '../../src/connection/connection.ts';
import { upgradeOutbound } from '../../src/connection/upgrade.ts';
import type { Stream } from '../../src/mux/stream.ts';
import { createTcpTransport } from '../../src/tcp.ts';
import type { VictimAddress } from './victim.ts';

/** Between two messages: an honest peer talks, it does not flood. */
const PAUSE = 2;

/** A peer that was connected before the attack began. */
export interface HonestPeer {
  /** Sends 64 bytes again and again and answers how long each came back, in milliseconds. */
  measure(milliseconds: number): Promise<number[]>;
  /** Says whether a peer that connects only now is served within 5 s. */
  newcomer(victim: VictimAddress): Promise<boolean>;
  close(): Promise<void>;
}

async function connect({ port, peerId }: VictimAddress): Promise<Connection> {
  const bytes = await createTcpTransport().dial(`/ip4/127.0.0.1/tcp/${port}`);
  const identity = identityFromSeed(randomBytes(32));
  return upgradeOutbound(bytes, {
    identity: identity.handshakeIdentity(Date.now()),
    expectedPeer: peerId as PeerId,
  });
}

/** Rejects when the stream ends: an honest peer must not lose anything to an attack. */
function createEcho(stream: Stream): () => Promise<void> {
  const message = new Uint8Array(64).fill(7);
  let missing = 0;
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  stream.receive({
    onData(chunk) {
      missing -= chunk.length;
      if (missing <= 0) settle?.resolve();
    },
    onEnd: () => settle?.reject(new Error('the honest stream was ended')),
    onReset: (error) => settle?.reject(error),
  });
  return () =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      missing = message.length;
      stream.write(message);
    });
}

async function isServed(victim: VictimAddress): Promise<boolean> {
  const served = async (): Promise<boolean> => {
    const connection = await connect(victim);
    await createEcho(await connection.openStream('/attack/echo'))();
    connection.abort();
    return true;
  };
  return Promise.race([served().catch(() => false), delay(5000, false, { ref: false })]);
}

/** Connects to the victim. */
export async function openHonestPeer(victim: VictimAddress): Promise<HonestPeer> {
  await ready();
  const connection = await connect(victim);
  const echo = createEcho(await connection.openStream('/attack/echo'));
  return {
    async measure(milliseconds) {
      const latencies: number[] = [];
      const end = performance.now() + milliseconds;
      while (performance.now() < end) {
        const sent = performance.now();
        await echo();
        latencies.push(performance.now() - sent);
        await delay(PAUSE);
      }
      return latencies;
    },
    newcomer: isServed,
    close: () => connection.close({ signal: AbortSignal.timeout(1000) }),
  };
}
