import { createHandshake, TICKET_LIFETIME } from '@nzcore/crypto/handshake';
import { describe, expect, it } from 'vitest';
import { createTicketKeeper, type TicketKeeper } from '../src/manager/ticket-keeper.ts';
import { createFakeClock } from '../src/testing.ts';
import { alice, bob } from './connected.ts';

/** Bob takes a connection of Alice's. */
function meet({ tickets }: TicketKeeper, now: number): void {
  const other = createTicketKeeper(createFakeClock());
  const from = (identity: typeof alice) => ({ identity: identity.handshakeIdentity(now) });
  const initiator = createHandshake({ role: 'initiator', tickets: other.tickets, ...from(alice) });
  const responder = createHandshake({ role: 'responder', tickets, ...from(bob) });
  const second = responder.receive(initiator.start(now), now).reply!;
  const third = initiator.receive(second, now).reply!;
  responder.receive(third, now).result!.resumption!.keep();
}

describe('the keeper of tickets (NZ-HANDSHAKE-01 §5.7.7)', () => {
  it('wipes what has expired within a minute, and then has no timer', async () => {
    const clock = createFakeClock();
    using keeper = createTicketKeeper(clock);
    meet(keeper, clock.now());
    keeper.watch();
    keeper.watch();
    expect([keeper.tickets.size, clock.pending]).toEqual([2, 1]);
    await clock.advance(TICKET_LIFETIME - 1);
    expect([keeper.tickets.size, clock.pending]).toEqual([2, 1]);
    await clock.advance(60_001);
    expect([keeper.tickets.size, clock.pending]).toEqual([0, 0]);
  });

  it('wipes everything at its end, and takes nothing afterwards', () => {
    const clock = createFakeClock();
    const keeper = createTicketKeeper(clock);
    meet(keeper, clock.now());
    keeper.watch();
    keeper[Symbol.dispose]();
    expect([keeper.tickets.size, clock.pending]).toEqual([0, 0]);
    meet(keeper, clock.now());
    keeper.watch();
    expect([keeper.tickets.size, clock.pending]).toEqual([0, 0]);
  });
});
