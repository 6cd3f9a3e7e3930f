/** The attacker's process: `attacker.ts <attack,attack,...> <options as JSON>`; stops and reports when its parent says so. */
import { setMaxListeners } from 'node:events';
import { constants, setPriority } from 'node:os';
import type { Attack, AttackOptions, AttackReport } from './attack.ts';

// The attacker's own work must not be what slows the victim down: it would be done on other machines.
setPriority(constants.priority.PRIORITY_LOW);
const [names, options] = process.argv.slice(2) as [string, string];
const stop = new AbortController();
// Every connection of an attack may wait for this signal.
setMaxListeners(0, stop.signal);
process.once('message', () => stop.abort());
process.once('disconnect', () => process.exit(0));
const given = JSON.parse(options) as Omit<AttackOptions, 'signal'>;

async function run(name: string): Promise<AttackReport['done']> {
  const { attack } = (await import(`./attacks/${name}.ts`)) as { readonly attack: Attack };
  return (await attack({ ...given, signal: stop.signal })).done;
}

const done = await Promise.all(names.split(',').map(run));
process.send?.({ done: Object.assign({}, ...done) } satisfies AttackReport);
