import type { ByteConnection } from './byte-connection.ts';
import type { ListenOptions } from './transport.ts';

/** Where there is a console: every runtime has one, but not every library of types. */
declare const console: { error(...values: readonly unknown[]): void } | undefined;

/** Says what a callback of the owner threw. There is nobody else to tell: the caller is a socket, a timer or a peer. */
export function reportThrown(error: unknown): void {
  if (typeof console !== 'undefined') console.error('@nzcore/transport: a callback threw', error);
}

/**
 * Calls what the owner of a node gave. What it throws, or rejects with, is its own fault: it is reported, and must end neither the
 * process nor what a peer has open.
 */
export function callOwner<Arguments extends readonly unknown[]>(
  hook: ((...args: Arguments) => void) | undefined,
  ...args: Arguments
): void {
  try {
    settleOwner(hook?.(...args));
  } catch (error) {
    reportThrown(error);
  }
}

/** `void` allows an async function: its promise would end the process when nobody looks at it. */
export function settleOwner(result: unknown, onRejected: (error: unknown) => void = reportThrown): void {
  if (result instanceof Promise) result.catch(onRejected);
}

/** Gives a listener's owner what was accepted. One that it throws at is nobody's. */
export function handToOwner(connection: ByteConnection, { onConnection }: ListenOptions): void {
  try {
    onConnection(connection);
  } catch (error) {
    reportThrown(error);
    connection.destroy();
  }
}
