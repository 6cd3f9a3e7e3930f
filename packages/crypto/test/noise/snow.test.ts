import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createPrimitives } from '../../src/index.ts';
import { type NoiseVector, runNoiseVector } from './noise-vector.ts';

const file = new URL('../../../../../shared/vectors/noise/snow.json', import.meta.url);
const vectors: NoiseVector[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).vectors : [];

describe.each(['auto', 'node', 'sodium'] as const)('published Noise vectors on the %s backend', (backend) => {
  const primitives = createPrimitives(backend);
  beforeAll(() => primitives.ready());

  it('has the file wherever CI runs', () => {
    if (process.env['CI'] || vectors.length > 0) expect(vectors).toHaveLength(153);
    else expect(existsSync(file)).toBe(false);
  });

  it.each(vectors.map((vector) => [vector.protocol_name, vector] as const))('%s', (_name, vector) => {
    expect(() => runNoiseVector(vector, primitives)).not.toThrow();
  });
});
