import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createPrimitives } from '../../src/index.ts';
import { type NoiseVector, runNoiseVector } from './noise-vector.ts';

const file = new URL('../../../../../shared/vectors/noise/snow.json', import.meta.url);
const vectors: NoiseVector[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).vectors : [];

describe.each(['auto', 'node', 'sodium'] as const)('published Noise vectors on the %s backend', (backend) => {
  const primitives = createPrimitives(backend);
  beforeAll(() => primitives.ready());

  it.runIf(existsSync(file))('has all of them', () => {
    expect(vectors).toHaveLength(153);
  });

  it.each(vectors.map((vector) => [vector.protocol_name, vector] as const))('%s', (_name, vector) => {
    expect(() => runNoiseVector(vector, primitives)).not.toThrow();
  });
});
