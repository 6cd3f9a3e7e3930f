/** What {@link stopOnSignals} needs of a process. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

/** How to stop. */
export interface StopOptions {
  /** Called once, with what is to be awaited. */
  readonly stop: () => Promise<void>;
  /** Called when `stop` took too long, failed, or a second signal came. */
  readonly giveUp: (reason: string) => void;
  /** Milliseconds that `stop` may take. @defaultValue 5000 */
  readonly deadline?: number;
}

/** Stops in an orderly way at the first SIGINT or SIGTERM. Answers a function that takes the listeners away again. */
export function stopOnSignals(
  source: SignalSource,
  { stop, giveUp, deadline = 5000 }: StopOptions,
): () => void {
  let isStopping = false;
  const listener = (): void => {
    if (isStopping) {
      giveUp('a second signal came while stopping');
      return;
    }
    isStopping = true;
    const timer = setTimeout(() => giveUp(`stopping took more than ${deadline} ms`), deadline);
    stop()
      .catch((error: Error) => giveUp(error.message))
      .finally(() => clearTimeout(timer));
  };
  source.on('SIGINT', listener);
  source.on('SIGTERM', listener);
  return () => {
    source.off('SIGINT', listener);
    source.off('SIGTERM', listener);
  };
}
