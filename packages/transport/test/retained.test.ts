import { queryObjects } from 'node:v8';
import { createHandshake } from '@nzcore/crypto/handshake';
import type { Identity } from '@nzcore/identity';
import { expect, it } from 'vitest';
import { createMemoryPair } from '../src/memory.ts';
import { alice, bob, collect, connectPeers, echo, text } from './connected.ts';

/** The class of what a handshake hands to a channel, which @nzcore/crypto exports as a type only. */
function secretsClass(): object {
  const now = Date.now();
  const from = (peer: Identity) => ({
    identity: peer.handshakeIdentity(now),
    features: [],
    maxRecordSize: 65_536,
    versions: { min: 1, max: 1 },
  });
  const initiator = createHandshake({ role: 'initiator', ...from(alice) });
  const responder = createHandshake({ role: 'responder', ...from(bob) });
  const { result } = initiator.receive(responder.receive(initiator.start(now), now).reply!, now);
  result!.secrets[Symbol.dispose]();
  return result!.secrets.constructor;
}

it('an idle connection keeps nothing of its handshake, and no secret of it', async () => {
  const ChannelSecrets = secretsClass() as () => unknown;
  const before = Number(queryObjects(ChannelSecrets));
  await using peers = await connectPeers({ bytes: createMemoryPair(), far: { onStream: echo } });
  const stream = await peers.near.openStream('/echo/1', { data: text('hello') });
  const received = collect(stream);
  await stream.closeWrite();
  await received.done;
  await new Promise((resolve) => setImmediate(resolve));
  expect(Number(queryObjects(ChannelSecrets))).toBeLessThanOrEqual(before);
});
