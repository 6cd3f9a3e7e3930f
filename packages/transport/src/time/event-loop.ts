/** Node asks the network for a connection in a tick of its own, which comes before this one. */
export function behindDial(task: () => void): void {
  const { nextTick } = (globalThis.process ?? {}) as { nextTick?: (task: () => void) => void };
  if (nextTick !== undefined) nextTick(task);
  else queueMicrotask(task);
}

/** Node runs this when all that belongs to a read is done, its answers written, and every socket with something to read has been read. */
export function behindTurn(task: () => void): void {
  const host = globalThis as { setImmediate?: (task: () => void) => unknown };
  if (host.setImmediate === undefined) setTimeout(task, 0);
  else host.setImmediate(task);
}
