/** How long {@link microsecondsPerCall} and its twins measure. */
export interface TimingOptions {
  /** @defaultValue 150 */
  readonly milliseconds?: number;
}

/** Calls `operation` for a while and answers the microseconds that one call took. */
export function microsecondsPerCall(operation: () => unknown, options: TimingOptions = {}): number {
  const { milliseconds = 150 } = options;
  const started = performance.now();
  const calls = callFor(milliseconds, operation);
  return ((performance.now() - started) * 1000) / calls;
}

/**
 * The same, but of the processor's time and not the clock's: on a busy machine the clock counts what other processes were given, which
 * differed by up to a third between two turns of the same work. Threads that collect garbage count. The young generation
 * is empty at the beginning and emptied at the end, which counts: whoever makes garbage pays for it, in its own turn. Needs `--expose-gc`.
 */
export function processorMicrosecondsPerCall(
  operation: () => unknown,
  { milliseconds = 150 }: TimingOptions = {},
): number {
  return processorMicroseconds(() => callFor(milliseconds, operation));
}

/** Microseconds of the processor for each of the calls whose number `run` answers; {@link processorMicrosecondsPerCall} says how. */
export function processorMicroseconds(run: () => number): number {
  collectYoung();
  const started = processorTime();
  const calls = run();
  collectYoung();
  return (processorTime() - started) / calls;
}

/** Microseconds that this process has had of the processor. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** The same for one call that answers with a promise; threads that work for it count. */
export async function processorMicrosecondsOf(operation: () => Promise<unknown>): Promise<number> {
  collectYoung();
  const started = processorTime();
  await operation();
  collectYoung();
  return processorTime() - started;
}

function collectYoung(): void {
  const { gc } = globalThis as { gc?: (options: { readonly type: 'minor' }) => void };
  if (gc === undefined) throw new Error('collecting garbage needs --expose-gc');
  gc({ type: 'minor' });
}

/**
 * Calls `operation` for that long and answers how often. The number of calls between two looks at the clock grows until
 * the clock's own cost (about 50 ns) is under 1 %.
 */
function callFor(milliseconds: number, operation: () => unknown): number {
  let batch = 1;
  let calls = 0;
  let last: unknown;
  const started = performance.now();
  let now = started;
  while (now - started < milliseconds) {
    const before = now;
    for (let call = 0; call < batch; call++) last = operation();
    calls += batch;
    now = performance.now();
    if (now - before < milliseconds / 50) batch *= 2;
  }
  // A use of the results, so that the optimiser cannot drop the calls that made them.
  if (last === microsecondsPerCall) throw new TypeError('the operation answers with a value of its own');
  return calls;
}
