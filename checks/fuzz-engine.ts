/** One decoder to be fuzzed. */
export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs, which are mutated. */
  readonly seeds: readonly Uint8Array[];
  /** Decodes; throws when the decoder did anything else than to answer or to refuse with its code. */
  readonly run: (input: Uint8Array) => void;
}

/** One path of bytes that is not over when its function returns. */
export interface AsyncFuzzTarget extends Omit<FuzzTarget, 'run'> {
  /** Resolves when all that the input has set off is over; rejects when it was anything else than it should. */
  readonly runAsync: (input: Uint8Array) => Promise<void>;
}

/** A target's `run` for a decoder that may answer, or refuse with one of its codes; anything else is a finding. */
export function refuses<Code extends string>(
  refusal: abstract new (...args: never[]) => Error & { readonly code: Code },
  codes: readonly Code[],
  decode: (input: Uint8Array) => unknown,
): FuzzTarget['run'] {
  return (input) => {
    try {
      decode(input);
    } catch (error) {
      if (!(error instanceof refusal) || !codes.includes(error.code)) throw error;
    }
  };
}

/** How a target is fuzzed. */
export interface FuzzOptions {
  readonly runs: number;
  /** The same seed gives the same inputs. */
  readonly seed: number;
  /** Called with the number of runs, about once a second. */
  readonly onProgress?: (runs: number) => void;
}

/** An input that a decoder did not refuse as it should. */
export class FuzzFailure extends Error {
  /** The input that shows it. */
  readonly input: Uint8Array;

  constructor(target: string, run: number, input: Uint8Array, cause: unknown) {
    super(`${target}: run ${run} with ${Buffer.from(input).toString('hex')}`, { cause });
    this.name = 'FuzzFailure';
    this.input = input;
  }
}

/**
 * Feeds a target with mutated seeds and random bytes.
 * @throws FuzzFailure at the first input that makes it throw
 */
export function fuzz(target: FuzzTarget, options: FuzzOptions): void {
  for (const { run, input } of inputsOf(target, options)) {
    try {
      target.run(input);
    } catch (cause) {
      throw new FuzzFailure(target.name, run, input, cause);
    }
  }
}

/** As `fuzz`, one input after the other. @throws FuzzFailure */
export async function fuzzAsync(target: AsyncFuzzTarget, options: FuzzOptions): Promise<void> {
  for (const { run, input } of inputsOf(target, options)) {
    try {
      await target.runAsync(input);
    } catch (cause) {
      throw new FuzzFailure(target.name, run, input, cause);
    }
  }
}

function* inputsOf(
  { seeds }: Pick<FuzzTarget, 'seeds'>,
  { runs, seed, onProgress }: FuzzOptions,
): Generator<{ readonly run: number; readonly input: Uint8Array }> {
  const random = createRandom(seed);
  let reported = performance.now();
  for (let run = 0; run < runs; run++) {
    yield { run, input: nextInput(seeds, random) };
    if (run % 1000 === 0 && performance.now() - reported > 1000) {
      reported = performance.now();
      onProgress?.(run);
    }
  }
}

/** An integer from 0 to below the limit. */
type Random = (limit: number) => number;

/** Marsaglia's xorshift32: small, fast and repeatable, which is all that fuzzing needs. */
function createRandom(seed: number): Random {
  let state = seed | 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

function nextInput(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  const seed = seeds[random(seeds.length)];
  if (seed === undefined || random(16) === 0) return randomInput(random);
  let input: Uint8Array = seed.slice();
  for (let edits = random(4); edits >= 0; edits--) input = mutate(input, { random, seeds });
  return input;
}

function randomInput(random: Random): Uint8Array {
  return Uint8Array.from({ length: random(512) }, () => random(256));
}

const INTERESTING = [0x00, 0x01, 0x7f, 0x80, 0x90, 0xc0, 0xc4, 0xcf, 0xd9, 0xdc, 0xdf, 0xff];

interface MutationContext {
  readonly random: Random;
  readonly seeds: readonly Uint8Array[];
}

function mutate(input: Uint8Array, { random, seeds }: MutationContext): Uint8Array {
  const at = random(input.length + 1);
  switch (random(7)) {
    case 0:
      if (at < input.length) input[at]! ^= 1 << random(8);
      return input;
    case 1:
      if (at < input.length) input[at] = random(256);
      return input;
    case 2:
      if (at < input.length) input[at] = INTERESTING[random(INTERESTING.length)]!;
      return input;
    case 3:
      return input.slice(0, at);
    case 4:
      return Uint8Array.of(...input.subarray(0, at), random(256), ...input.subarray(at));
    case 5:
      return Uint8Array.of(...input.subarray(0, at), ...input.subarray(at + 1 + random(8)));
    default: {
      const other = seeds[random(seeds.length)]!;
      return Uint8Array.of(...input.subarray(0, at), ...other.subarray(random(other.length + 1)));
    }
  }
}
