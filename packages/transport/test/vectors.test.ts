import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMuxEnd } from './mux-pair.ts';
import { buildVectors, play, readMessages, unhex, type WireVectors } from './wire-vectors.ts';

const load = (name: string): WireVectors =>
  JSON.parse(readFileSync(new URL(`../../../spec/vectors/${name}`, import.meta.url), 'utf8')) as WireVectors;

for (const [name, file] of [
  ['NZ-WIRE-01', 'NZ-WIRE-01.json'],
  ['the frozen version 1', 'NZ-WIRE-01-v1.json'],
] as const) {
  describe(`vectors of ${name}`, () => {
    const vectors = load(file);

    for (const session of vectors.sessions) {
      it(`${session.role}: ${session.name}`, async () => {
        expect(await play(session)).toEqual(session.steps);
      });
    }

    for (const { name: what, version, record, code } of vectors.refused) {
      it(`refuses ${what} with ${code}`, () => {
        const end = createMuxEnd(false, () => 1000, { version });
        expect(() => end.mux.receive(unhex(record))).toThrow(expect.objectContaining({ code }));
      });
    }

    for (const { name: what, bytes, frames } of vectors.messages) {
      it(`reads ${what}`, () => {
        expect(readMessages(unhex(bytes))).toEqual(frames);
      });
    }
  });
}

it('the vectors are those of their script', async () => {
  expect(load('NZ-WIRE-01.json')).toEqual(JSON.parse(JSON.stringify(await buildVectors(2))));
});
