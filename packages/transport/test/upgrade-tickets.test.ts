import { createHandshake, createTicketCache } from '@nzcore/crypto/handshake';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { frameHandshakeMessage } from '../src/connection/handshake-framing.ts';
import { upgradeInbound, upgradeOutbound } from '../src/connection/upgrade.ts';
import { createMemoryPair } from '../src/memory.ts';
import { alice, bob, connectPeers } from './connected.ts';

/** What was made of handshakes to resume them, and how much of it was wiped. */
const resumptions = vi.hoisted(() => ({ made: 0, wiped: 0 }));

vi.mock('@nzcore/crypto/handshake', async (importOriginal) => {
  const original = await importOriginal<typeof import('@nzcore/crypto/handshake')>();
  const watched: typeof original.createHandshake = (options) => {
    const handshake = original.createHandshake(options);
    const receive = handshake.receive.bind(handshake);
    handshake.receive = (message, now) => {
      const step = receive(message, now);
      const resumption = step.result?.resumption;
      if (resumption === undefined) return step;
      const dispose = resumption[Symbol.dispose].bind(resumption);
      resumptions.made += 1;
      resumption[Symbol.dispose] = () => {
        resumptions.wiped += 1;
        dispose();
      };
      return step;
    };
    return handshake;
  };
  return { ...original, createHandshake: watched };
});

afterEach(() => {
  resumptions.made = 0;
  resumptions.wiped = 0;
});

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const nothing = (): void => undefined;

/** Sends a first message to Bob, reads his answer and says nothing more. */
async function replay(first: Uint8Array, tickets: ReturnType<typeof createTicketCache>): Promise<void> {
  const [near, far] = createMemoryPair();
  const accepted = upgradeInbound(far, { identity: bob.handshakeIdentity(Date.now()), tickets });
  let answered = 0;
  near.start({
    onData: ({ length }) => (answered += length),
    onDrain: nothing,
    onEnd: nothing,
    onClose: nothing,
  });
  near.write([frameHandshakeMessage(first)]);
  await turn();
  expect(answered).toBeGreaterThan(0);
  near.destroy();
  await expect(accepted).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
}

describe('tickets of an upgrade (NZ-HANDSHAKE-01 §5.7)', () => {
  it('are not kept of repeated first messages, and wiped (§5.7.6)', async () => {
    using tickets = createTicketCache();
    using ours = createTicketCache();
    const identity = alice.handshakeIdentity(Date.now());
    const { publicKey, staticKeyPair } = bob.handshakeIdentity(Date.now());
    const common = { role: 'initiator', identity, expectedIdentity: publicKey, tickets: ours } as const;
    using known = createHandshake({ ...common, remoteStaticKey: staticKeyPair.publicKey });
    const first = known.start(Date.now());
    expect(first[1]).toBe(2);
    for (let again = 0; again < 3; again++) await replay(first, tickets);
    expect(tickets.size).toBe(0);
    await using peers = await connectPeers({ near: { tickets: ours }, far: { tickets } });
    await vi.waitFor(() => expect([tickets.size, ours.size]).toEqual([2, 2]));
    expect(peers.far.isResumed).toBe(false);
    using resuming = createHandshake(common);
    await replay(resuming.start(Date.now()), tickets);
    expect(tickets.size).toBe(1);
    expect(resumptions).toEqual({ made: 6, wiped: 6 });
  });

  it('are wiped of a handshake that nothing can be made of', async () => {
    using tickets = createTicketCache();
    const [near, far] = createMemoryPair();
    const small = createHandshake({
      role: 'responder',
      identity: bob.handshakeIdentity(Date.now()),
      tickets,
      maxRecordSize: 4_096,
    });
    far.start({
      onData: (chunk) => {
        const { reply } = small.receive(chunk.subarray(2), Date.now());
        if (reply) far.write([frameHandshakeMessage(reply)]);
      },
      onDrain: nothing,
      onEnd: nothing,
      onClose: nothing,
    });
    using ours = createTicketCache();
    const options = { identity: alice.handshakeIdentity(Date.now()), tickets: ours };
    await expect(upgradeOutbound(near, options)).rejects.toMatchObject({ code: 'VERSION_UNSUPPORTED' });
    expect(ours.size).toBe(0);
    expect(resumptions).toEqual({ made: 1, wiped: 1 });
  });
});
