import { describe, expect, it } from 'vitest';
import type { DatagramChannel } from '../../src/channel.ts';
import { NOW } from '../handshake/peers.ts';
import { createDatagramChannels } from './channels.ts';

const bytes = (length: number, seed = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 31 + seed);
const refused = expect.objectContaining({ code: 'INVALID_RECORD' });
const SECOND = 1_000;

/** Carries control datagrams both ways until there are none; `lose` decides which never arrive. */
function settle(a: DatagramChannel, b: DatagramChannel, lose: () => boolean = () => false): void {
  for (let isQuiet = false; !isQuiet; ) {
    const [fromA, fromB] = [a.takeControl(), b.takeControl()];
    isQuiet = !fromA && !fromB;
    for (const datagram of fromA ?? []) if (!lose()) b.open(datagram);
    for (const datagram of fromB ?? []) if (!lose()) a.open(datagram);
  }
}

describe('datagrams (NZ-CHANNEL-01 §7)', () => {
  it.each(['chacha20poly1305', 'aes256gcm', 'aes256gcm-chacha20poly1305'] as const)(
    'are opened in any order with %s',
    (cipher) => {
      const [a, b] = createDatagramChannels({ initiator: { recordCiphers: [cipher] } });
      const sent = [bytes(0), bytes(1), bytes(1_200), bytes(9_000)];
      const sealed = sent.map((plaintext) => a.seal(plaintext));
      expect(sealed.reverse().map((datagram) => b.open(datagram))).toEqual(sent.reverse());
    },
  );

  it('refuses a replayed datagram, and goes on (§7.2)', () => {
    const [a, b] = createDatagramChannels();
    const first = a.seal(bytes(10));
    b.open(first);
    expect(() => b.open(first)).toThrow(refused);
    expect(b.open(a.seal(bytes(11)))).toEqual(bytes(11));
  });

  it('accepts what is 1023 behind and refuses what is 1024 behind (§7.2)', () => {
    const [a, b] = createDatagramChannels();
    const sealed = Array.from({ length: 1_026 }, (_, i) => a.seal(bytes(4, i)));
    b.open(sealed[1_025]!);
    expect(() => b.open(sealed[1]!)).toThrow(refused);
    expect(b.open(sealed[2]!)).toEqual(bytes(4, 2));
  });

  it('refuses own datagrams sent back, those of another session, and changed ones (§7.5)', () => {
    const [a, b] = createDatagramChannels();
    const [stranger] = createDatagramChannels();
    const sealed = a.seal(bytes(10));
    expect(() => a.open(sealed)).toThrow(refused);
    expect(() => b.open(stranger.seal(bytes(10)))).toThrow(refused);
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice();
      changed[at]! ^= 1;
      expect(() => b.open(changed)).toThrow(refused);
      expect(() => b.open(sealed.subarray(0, at))).toThrow(refused);
    }
    expect(b.open(sealed)).toEqual(bytes(10));
  });
});

describe('the symmetric ratchet of datagrams (NZ-CHANNEL-01 §7.3)', () => {
  it('takes the other direction along', () => {
    const [a, b] = createDatagramChannels({}, { updateRecords: 2 });
    for (let i = 0; i < 5; i++) b.open(a.seal(bytes(9, i)));
    expect(a.counters.keyUpdates).toBe(2);
    expect(b.counters.keyUpdates).toBe(2);
    expect(a.open(b.seal(bytes(8)))).toEqual(bytes(8));
  });

  it('survives the loss of whole epochs, but not of more than it derives ahead', () => {
    const [a, b] = createDatagramChannels({}, { updateRecords: 1 });
    const sealed = Array.from({ length: 20 }, (_, i) => a.seal(bytes(3, i)));
    expect(b.open(sealed[8]!)).toEqual(bytes(3, 8));
    expect(() => b.open(sealed[17]!)).toThrow(refused);
    expect(b.open(sealed[16]!)).toEqual(bytes(3, 16));
  });

  it('keeps one old epoch for a bounded time, then erases it (§7.4)', () => {
    const [a, b] = createDatagramChannels({}, { updateRecords: 2 });
    const [late, later, fresh] = [a.seal(bytes(1)), a.seal(bytes(2)), a.seal(bytes(3))];
    b.open(fresh);
    expect(b.open(late)).toEqual(bytes(1));
    b.onTimeout(NOW + SECOND);
    expect(b.nextTimeout).toBe(NOW + 31 * SECOND);
    b.onTimeout(NOW + 31 * SECOND);
    expect(() => b.open(later)).toThrow(refused);
  });
});

describe('the Diffie-Hellman ratchet of datagrams (NZ-CHANNEL-01 §7.6)', () => {
  it('renews the keys of both directions', () => {
    const [a, b] = createDatagramChannels({}, { ratchetBytes: 100 });
    for (let i = 0; i < 10; i++) {
      expect(b.open(a.seal(bytes(60, i)))).toEqual(bytes(60, i));
      expect(a.open(b.seal(bytes(60, i)))).toEqual(bytes(60, i));
      settle(a, b);
    }
    expect(a.counters.ratchets).toBeGreaterThanOrEqual(9);
    expect(b.counters.ratchets).toBe(a.counters.ratchets);
    expect(a.seal(bytes(1)).subarray(0, 2)).toEqual(b.seal(bytes(1)).subarray(0, 2));
  });

  it('leaves no use for a datagram of another generation, whatever its header says (NZ-CHANNEL-01 §7.4, §7.5)', () => {
    const [a, b] = createDatagramChannels({}, { ratchetBytes: 100 });
    const generationOf = (datagram: Uint8Array): number => datagram[0]! * 256 + datagram[1]!;
    const [late, stale] = [a.seal(bytes(1)), a.seal(bytes(2))];
    const renew = (): void => {
      b.open(a.seal(bytes(120)));
      settle(a, b);
      b.open(a.seal(bytes(1)));
      a.open(b.seal(bytes(1)));
      settle(a, b);
    };
    renew();
    // The last generation's last epoch is the one old epoch that is kept.
    expect(b.open(late)).toEqual(bytes(1));
    renew();
    const fresh = a.seal(bytes(3));
    expect(generationOf(fresh)).toBeGreaterThan(generationOf(stale) + 1);
    expect(() => b.open(stale)).toThrow(refused);
    for (const generation of [generationOf(stale), generationOf(fresh) - 1, generationOf(fresh) + 1]) {
      const relabelled = fresh.slice();
      relabelled.set([generation >> 8, generation & 0xff]);
      expect(() => b.open(relabelled)).toThrow(refused);
    }
    const renamed = stale.slice();
    renamed.set(fresh.subarray(0, 4));
    expect(() => b.open(renamed)).toThrow(refused);
    expect(b.open(fresh)).toEqual(bytes(3));
  });

  it('goes through when any of its datagrams are lost', () => {
    for (let losses = 0; losses < 32; losses++) {
      const [a, b] = createDatagramChannels({}, { ratchetBytes: 100 });
      b.open(a.seal(bytes(120)));
      let pattern = losses;
      const lose = () => {
        const isLost = (pattern & 1) === 1;
        pattern >>>= 1;
        return isLost;
      };
      for (let time = NOW; time < NOW + 100 * SECOND; time += SECOND) {
        settle(a, b, lose);
        a.onTimeout(time);
        b.onTimeout(time);
      }
      expect(a.counters.ratchets).toBe(b.counters.ratchets);
      expect(a.counters.ratchets).toBeGreaterThan(0);
      expect(b.open(a.seal(bytes(5)))).toEqual(bytes(5));
      expect(a.open(b.seal(bytes(6)))).toEqual(bytes(6));
    }
  });

  it('is not offered again by a peer that has nothing to protect', () => {
    const [a, b] = createDatagramChannels();
    a.onTimeout(NOW + 130 * SECOND);
    expect(a.takeControl()).toBeUndefined();
    b.open(a.seal(bytes(1)));
    a.onTimeout(NOW + 260 * SECOND);
    expect(a.takeControl()).toHaveLength(1);
  });
});

describe('the end of a datagram channel', () => {
  it('is told to the peer and wipes the keys (NZ-CHANNEL-01 §7.7)', () => {
    const [a, b] = createDatagramChannels();
    const [farewell] = a.close();
    expect(b.open(farewell!)).toBeUndefined();
    expect(b.isRemoteClosed).toBe(true);
    expect(() => a.seal(bytes(1))).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    expect(() => a.open(b.seal(bytes(1)))).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    expect(a.nextTimeout).toBeUndefined();
  });

  it('comes at the hard limit too, though it cannot be told', () => {
    const [a] = createDatagramChannels({}, { hardRecords: 1 });
    a.seal(bytes(1));
    expect(() => a.close()).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }));
    expect(a.nextTimeout).toBeUndefined();
    expect(() => a.seal(bytes(1))).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  it('never uses a key beyond its hard limit (NZ-CHANNEL-01 §6.1)', () => {
    const [a] = createDatagramChannels({}, { hardRecords: 3 });
    for (let i = 0; i < 3; i++) a.seal(bytes(1));
    expect(() => a.seal(bytes(1))).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }));
  });
});
