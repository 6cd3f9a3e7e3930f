/** Does an action when those before it of the same name are over, whatever became of them. */
export type NameTurns = <Result>(name: string, action: () => Promise<Result>) => Promise<Result>;

/** Turns of names; actions of different names run at the same time. */
export function createNameTurns(): NameTurns {
  const last = new Map<string, Promise<unknown>>();
  return async (name, action) => {
    const before = last.get(name) ?? Promise.resolve();
    const result = before.then(action, action);
    const settled = result.catch(() => {});
    last.set(name, settled);
    try {
      return await result;
    } finally {
      if (last.get(name) === settled) last.delete(name);
    }
  };
}
