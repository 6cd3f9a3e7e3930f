import type { KeyPair } from '../primitives.ts';

// Enough for the handshakes that begin within one turn of the event loop; of more, each makes its own key pair.
const POOL_SIZE = 4;
// Milliseconds. Who copies this memory must not have the keys of handshakes and ratchet steps that come later.
const MAX_AGE = 1_000;

/** Hands out fresh key pairs, each of them once. */
export interface KeyPairPool {
  take(): KeyPair;
}

/**
 * After a key pair was taken the next ones are made in turns of the event loop of their own, and not before the next look at the
 * network: a message that has arrived meanwhile is answered first, and what is waited for is waited for with work. Making one is a quarter
 * of what a side computes.
 */
export function createKeyPairPool(
  generate: () => KeyPair,
  clock: () => number = () => globalThis.performance.now(),
): KeyPairPool {
  /** Oldest first. */
  const made: { readonly pair: KeyPair; readonly at: number }[] = [];
  let isFilling = false;

  function dropOld(): void {
    const oldest = clock() - MAX_AGE;
    while (made.length > 0 && made[0]!.at <= oldest) made.shift()!.pair.secretKey.fill(0);
  }

  /** One key pair a turn, so that nobody waits for more than that. */
  function fillLater(): void {
    if (isFilling || made.length >= POOL_SIZE) return;
    isFilling = true;
    behindNetwork(() => {
      isFilling = false;
      made.push({ pair: generate(), at: clock() });
      fillLater();
    });
  }

  return {
    take() {
      dropOld();
      const pair = made.pop()?.pair ?? generate();
      fillLater();
      return pair;
    },
  };
}

/**
 * Node looks at the network between one turn of these callbacks and the next. They hold the process for these two turns: callbacks that do
 * not would let the loop sleep until something arrives, and then make that wait for them.
 */
function behindNetwork(task: () => void): void {
  globalThis.setImmediate(() => void globalThis.setImmediate(task));
}
