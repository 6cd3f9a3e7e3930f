import { type PeerId, peerIdFromPublicKey } from '@nzcore/identity';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ConnectionManager, createConnectionManager } from '../src/manager/connection-manager.ts';
import type { TransportEvent } from '../src/manager/transport-event.ts';
import { createMemoryNetwork, createMemoryTransport } from '../src/memory.ts';
import { createFakeClock } from '../src/testing.ts';
import { createPlainUpgrader } from './plain-upgrader.ts';

const [A, B] = [1, 2].map((seed) => peerIdFromPublicKey(new Uint8Array(32).fill(seed))).sort() as [
  PeerId,
  PeerId,
];

interface Peer {
  readonly manager: ConnectionManager;
  readonly types: () => TransportEvent['type'][];
}

/** When two peers dial each other, and how long each piece of what they say is on its way. */
const timing = fc.record({
  /** Milliseconds at which A dials, and at which B does, again and again. */
  starts: fc.tuple(
    fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 1, maxLength: 3 }),
    fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 1, maxLength: 3 }),
  ),
  delays: fc.infiniteStream(fc.integer({ min: 0, max: 80 })),
});

it('two peers that dial each other have one connection in the end, the same on both sides, whatever overtakes what', async () => {
  await fc.assert(
    fc.asyncProperty(timing, async ({ starts, delays }) => {
      const clock = createFakeClock();
      const network = createMemoryNetwork();
      const defer = (deliver: () => void): void => void clock.setTimeout(deliver, delays.next().value ?? 0);
      const create = (id: PeerId): Peer => {
        const events: TransportEvent[] = [];
        const manager = createConnectionManager({
          localPeer: id,
          upgrader: createPlainUpgrader({ peer: id }),
          transports: [createMemoryTransport({ network, defer })],
          clock,
          random: () => 0.5,
          onEvent: (event) => events.push(event),
        });
        return { manager, types: () => events.map(({ type }) => type) };
      };
      const [a, b] = [create(A), create(B)];
      await a.manager.listen('/memory/a');
      await b.manager.listen('/memory/b');
      a.manager.addressBook.add(B, ['/memory/b'], { source: 'manual' });
      b.manager.addressBook.add(A, ['/memory/a'], { source: 'manual' });
      const failures: unknown[] = [];
      for (const [peer, other, times] of [
        [a, B, starts[0]],
        [b, A, starts[1]],
      ] as const) {
        for (const time of times) {
          clock.setTimeout(
            () => void peer.manager.connect(other).catch((error) => failures.push(error)),
            time,
          );
        }
      }
      await clock.advance(15_000);
      expect(failures).toEqual([]);
      const [mine, theirs] = [a.manager.connections(), b.manager.connections()];
      expect([mine.length, theirs.length]).toEqual([1, 1]);
      expect([mine[0]!.isOpen, theirs[0]!.isOpen]).toEqual([true, true]);
      // Each end is the other end of the other: one was dialled and one was accepted.
      expect(mine[0]!.direction).not.toBe(theirs[0]!.direction);
      expect([...a.types(), ...b.types()]).not.toContain('peer-disconnected');
      // Still there when everything has been asked for: it is not a dead one that was kept.
      await clock.advance(120_000);
      expect([a.manager.connections().length, b.manager.connections().length]).toEqual([1, 1]);
      const closing = Promise.all([a.manager.close(), b.manager.close()]);
      await clock.advance(10_000);
      await closing;
    }),
    { numRuns: 300 },
  );
}, 60_000);
