import type { KeyPair } from '../primitives.ts';

// Enough for the handshakes that begin within one turn of the event loop; of more, each makes its own key pair.
const POOL_SIZE = 4;

/** Hands out fresh key pairs, each of them once. */
export interface KeyPairPool {
  take(): KeyPair;
}

/**
 * After a key pair was taken the next ones are made in turns of the event loop of their own: while a handshake waits for the
 * network. Making one is a quarter of what a side computes.
 */
export function createKeyPairPool(generate: () => KeyPair): KeyPairPool {
  const pairs: KeyPair[] = [];
  let isFilling = false;

  /** One key pair a turn, so that nobody waits for more than that. */
  function fillLater(): void {
    if (isFilling || pairs.length >= POOL_SIZE) return;
    isFilling = true;
    const immediate = globalThis.setImmediate(() => {
      isFilling = false;
      pairs.push(generate());
      fillLater();
    });
    immediate.unref();
  }

  return {
    take() {
      const pair = pairs.pop() ?? generate();
      fillLater();
      return pair;
    },
  };
}
