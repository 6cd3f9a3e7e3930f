import { ready } from '@nzcore/crypto';
import sodium from 'libsodium-wrappers-sumo';
import type { Contestant } from '../area.ts';
import { microsecondsPerCall } from '../timing.ts';

// Short turns: a busy moment of the machine then hits everybody.
const MILLISECONDS = 100;

/** A contestant that repeats one call; libsodium is loaded for everybody before the first one measures. */
export function repeat(name: string, prepare: () => () => unknown): Contestant {
  return {
    name,
    open: async () => {
      await Promise.all([ready(), sodium.ready]);
      const operation = prepare();
      return { measure: () => microsecondsPerCall(operation, { milliseconds: MILLISECONDS }) };
    },
  };
}
