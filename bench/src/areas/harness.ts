import { createHash } from 'node:crypto';
import type { Area } from '../area.ts';
import { compare } from '../area.ts';
import { microsecondsPerCall } from '../timing.ts';

const data = new Uint8Array(1024);

function hashing(name: string, algorithm: string) {
  return {
    name,
    open: () => ({ measure: () => microsecondsPerCall(() => createHash(algorithm).update(data).digest()) }),
  };
}

/** Measures one thing against itself: the ratio has to be 1, and its spread is the noise of this machine. */
export const area: Area = {
  name: 'harness',
  trials: [
    compare({ name: 'same-work', unit: 'us', better: 'lower' }, [
      hashing('ours', 'sha256'),
      hashing('itself', 'sha256'),
    ]),
  ],
};
