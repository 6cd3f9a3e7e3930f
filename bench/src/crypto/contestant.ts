import { ready } from '@nzcore/crypto';
import sodium from 'libsodium-wrappers-sumo';
import type { Contestant } from '../area.ts';
import { processorMicrosecondsPerCall } from '../timing.ts';

// Short turns, several in a round: a busy moment of the machine then hits everybody.
const MILLISECONDS = 10;
/** How often each contestant of {@link repeat} has its turn in a round. */
export const TURNS = 10;

/** A contestant that repeats one call; libsodium is loaded for everybody before the first one measures. */
export function repeat(name: string, prepare: () => () => unknown): Contestant {
  return {
    name,
    open: async () => {
      await Promise.all([ready(), sodium.ready]);
      const operation = prepare();
      return { measure: () => processorMicrosecondsPerCall(operation, { milliseconds: MILLISECONDS }) };
    },
  };
}
