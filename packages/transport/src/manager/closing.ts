import type { TransportError } from '../errors.ts';

/** The end of an owner, told to whatever is under way. A shared AbortSignal would warn above ten listeners. */
export interface Closing {
  /** Why, once it closes. */
  readonly reason: TransportError | undefined;
  /** Calls back when it closes, unless the result is disposed of before. */
  onClose(end: (reason: TransportError) => void): Disposable;
  close(reason: TransportError): void;
}

export function createClosing(): Closing {
  const ends = new Set<(reason: TransportError) => void>();
  let closedFor: TransportError | undefined;
  return {
    get reason(): TransportError | undefined {
      return closedFor;
    },
    onClose: (end) => {
      ends.add(end);
      return { [Symbol.dispose]: () => ends.delete(end) };
    },
    close: (reason) => {
      closedFor ??= reason;
      for (const end of [...ends]) end(reason);
      ends.clear();
    },
  };
}
