import { behindTurn } from './event-loop.ts';

/** Work that was put off, by whose it is. Of the event loop, and so of everybody that shares it. */
const waiting = new Map<object, (() => void)[]>();
let isMarked = false;

/**
 * Puts work off until everybody who has something to read has had their turn. One piece of it is done in a turn of the event loop, and
 * owners take turns: who has put off much waits for it, and not those who have put off little. The task sees to it that it is short, with
 * all that it settles, and must not throw.
 */
export function putOff(owner: object, task: () => void): void {
  const tasks = waiting.get(owner);
  if (tasks === undefined) waiting.set(owner, [task]);
  else tasks.push(task);
  mark();
}

/** Says whether the owner has put off something: what more there is to do of it had better wait behind that. */
export function hasPutOff(owner: object): boolean {
  return waiting.has(owner);
}

function mark(): void {
  if (isMarked) return;
  isMarked = true;
  behindTurn(workOff);
}

function workOff(): void {
  isMarked = false;
  const [first] = waiting;
  if (first === undefined) return;
  const [owner, tasks] = first;
  // Behind the others, who are all asked before it is asked again.
  waiting.delete(owner);
  const task = tasks.shift();
  if (tasks.length > 0) waiting.set(owner, tasks);
  if (waiting.size > 0) mark();
  task?.();
}
