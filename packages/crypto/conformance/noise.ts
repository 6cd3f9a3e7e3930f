import type { Primitives } from '../src/index.ts';
import { isOffered, type NoiseVector, runNoiseVector } from '../test/noise/noise-vector.ts';
import { type Fields, isFields, listField, type Outcome, passed, VectorFileError } from './outcome.ts';

/** Runs every Noise vector of a file on every one of the given backends. @throws VectorFileError */
export function runNoise(file: unknown, backends: readonly Primitives[]): Outcome[] {
  if (!isFields(file) || !('vectors' in file)) {
    throw new VectorFileError('this is no file of Noise vectors: it has no vectors');
  }
  return listField(file, 'vectors').map((vector, index) => runVector(vector, index, backends));
}

function runVector(vector: Fields, index: number, backends: readonly Primitives[]): Outcome {
  const { protocol_name: name } = vector;
  if (typeof name !== 'string' || !Array.isArray(vector['messages'])) {
    return { kind: 'failed', vector: `number ${index + 1}`, reason: 'no protocol_name or no messages' };
  }
  if (!isOffered(name)) return { kind: 'skipped', algorithm: name };
  for (const primitives of backends) {
    try {
      runNoiseVector(vector as unknown as NoiseVector, primitives);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: 'failed', vector: name, reason: `${primitives.backend}: ${reason}` };
    }
  }
  return passed;
}
