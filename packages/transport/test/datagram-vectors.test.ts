import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  buildDatagramVectors,
  type DatagramVectors,
  playRepetitions,
  readExchange,
  readPacket,
} from './datagram-vectors.ts';
import { unhex } from './wire-vectors.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../../spec/vectors/NZ-DATAGRAM-01.json', import.meta.url), 'utf8'),
) as DatagramVectors;

describe('vectors of NZ-DATAGRAM-01', () => {
  it.each(vectors.packets)('$name', ({ packet, parts }) => {
    expect(readPacket(unhex(packet))).toEqual(parts);
  });

  it.each(vectors.refused)('drops $name', ({ packet }) => {
    expect(readPacket(unhex(packet))).toBeNull();
  });

  it.each(vectors.exchanges)('exchange $bytes', ({ bytes, exchange }) => {
    expect(readExchange(unhex(bytes))).toEqual(exchange);
  });

  it.each(vectors.repetitions)('$name', ({ steps }) => {
    expect(playRepetitions(steps)).toEqual(steps);
  });

  it('has every packet of every session in the size that the specification says (§2)', () => {
    for (const { steps } of vectors.sessions) {
      const sizes = steps.map(({ packet }) => packet.length / 2);
      expect(sizes[0]).toBe(1200);
      expect(Math.max(...sizes)).toBe(1200);
    }
  });

  it('makes the same packets from the same keys, byte by byte', () => {
    expect(JSON.parse(JSON.stringify(buildDatagramVectors()))).toEqual(vectors);
  });
});
