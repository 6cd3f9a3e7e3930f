import { createPrimitives, type Primitives, ready } from '../../src/index.ts';

/** Entries of each memory: what a run with a changed key adds must not grow with the number of runs. */
const MAX_REMEMBERED = 4_096;

const idOf = (...parts: readonly Uint8Array[]): string =>
  parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.length).toString('latin1')).join('|');

/** Answers from a bounded memory what was asked before; remembers refusals as well. */
function remembering<A>(
  compute: () => A,
  id: string,
  memory: Map<string, { value: A } | { error: unknown }>,
): A {
  let known = memory.get(id);
  if (known === undefined) {
    try {
      known = { value: compute() };
    } catch (error) {
      known = { error };
    }
    if (memory.size >= MAX_REMEMBERED) memory.clear();
    memory.set(id, known);
  }
  if ('error' in known) throw known.error;
  return known.value;
}

/**
 * The product's primitives, whose curves compute nothing twice. A fuzzed handshake repeats the same few agreements and
 * verifications with fixed keys in every run: nine tenths of its time, in which no byte of the input is read.
 */
export async function createRememberingPrimitives(): Promise<Primitives> {
  await ready();
  const primitives = createPrimitives('auto');
  const { x25519, ed25519 } = primitives;
  const agreements = new Map<string, { value: Uint8Array } | { error: unknown }>();
  const publicKeys = new Map<string, { value: Uint8Array } | { error: unknown }>();
  const verdicts = new Map<string, { value: boolean } | { error: unknown }>();
  return {
    ...primitives,
    x25519: {
      ...x25519,
      publicKey: (secret) => remembering(() => x25519.publicKey(secret), idOf(secret), publicKeys).slice(),
      // A copy: its owner wipes it.
      sharedSecret: (secret, key) =>
        remembering(() => x25519.sharedSecret(secret, key), idOf(secret, key), agreements).slice(),
    },
    ed25519: {
      ...ed25519,
      verify: (signature, message, key) =>
        remembering(() => ed25519.verify(signature, message, key), idOf(signature, message, key), verdicts),
    },
  };
}
