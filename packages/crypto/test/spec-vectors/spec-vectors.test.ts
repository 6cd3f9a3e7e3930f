import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createPrimitives } from '../../src/index.ts';
import { createChannelVectors } from './channel-vectors.ts';
import { createHandshakeVectors } from './handshake-vectors.ts';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../../spec/vectors/${name}.json`, import.meta.url), 'utf8'));

describe.each(['auto', 'node', 'sodium'] as const)(
  'the vectors of our specifications, on the %s backend',
  (backend) => {
    const primitives = createPrimitives(backend);
    beforeAll(() => primitives.ready());

    it('are what the handshake says (NZ-HANDSHAKE-01 §13)', () => {
      expect(createHandshakeVectors(primitives)).toEqual(read('NZ-HANDSHAKE-01'));
    });

    it('are what the channels say (NZ-CHANNEL-01 §11)', () => {
      expect(createChannelVectors(primitives)).toEqual(read('NZ-CHANNEL-01'));
    });
  },
);
