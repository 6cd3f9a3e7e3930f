/** How long {@link microsecondsPerCall} and its async twin measure. */
export interface TimingOptions {
  /** @defaultValue 150 */
  readonly milliseconds?: number;
}

/**
 * Calls `operation` for a while and answers the microseconds that one call took.
 * The number of calls between two looks at the clock grows until the clock's own cost (about 50 ns) is under 1 %.
 */
export function microsecondsPerCall(operation: () => unknown, options: TimingOptions = {}): number {
  const { milliseconds = 150 } = options;
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
  return ((now - started) * 1000) / calls;
}

/** The same for an operation that answers with a promise; each call waits for the one before. */
export async function microsecondsPerAsyncCall(
  operation: () => Promise<unknown>,
  options: TimingOptions = {},
): Promise<number> {
  const { milliseconds = 150 } = options;
  const started = performance.now();
  let calls = 0;
  do {
    await operation();
    calls++;
  } while (performance.now() - started < milliseconds);
  return ((performance.now() - started) * 1000) / calls;
}
