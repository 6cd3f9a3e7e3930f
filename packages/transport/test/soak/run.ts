/** `pnpm soak [--cycles N] [--dials N] [--idle N]`: 100,000 connections, 10,000 failed dials and 1,000 idle connections; exit 1 when something grows. */
import { parseArgs } from 'node:util';
import { ready } from '@nzcore/crypto';
import { connectAndClose, failDials, openSoakPeers } from './cycles.ts';
import { openDeadEnds } from './dead-ends.ts';
import { measureIdle } from './idle.ts';
import { findGrowth, measureResources } from './resources.ts';

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    cycles: { type: 'string', default: '100000' },
    dials: { type: 'string', default: '10000' },
    idle: { type: 'string', default: '1000' },
  },
});

/** As much as the engine's own tables change; 100,000 leaks of a single empty object would be 2 MB and more. */
const ALLOWED_HEAP = 1024 * 1024;
/** Rounds of connections before the first measurement: code is compiled, tables have their size. */
const WARM_UP = 0.05;
const KiB = 1024;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Runs `work` in ten parts, prints the heap after each, and compares the end with the state after the warm-up. */
async function soak(name: string, count: number, work: (count: number) => Promise<void>): Promise<void> {
  await work(Math.ceil(count * WARM_UP));
  const before = await measureResources();
  print(`${name}: heap ${Math.round(before.heap / KiB)} KiB, ${JSON.stringify(before.active)} at the start`);
  const started = performance.now();
  for (let part = 1; part <= 10; part++) {
    await work(Math.ceil(count / 10));
    const { heap, resident, active } = await measureResources();
    const figures = `heap ${Math.round(heap / KiB)} KiB, resident ${Math.round(resident / KiB / KiB)} MiB`;
    print(`  ${Math.ceil(count / 10) * part}: ${figures}, ${JSON.stringify(active)}`);
  }
  const growth = findGrowth(before, await measureResources(), ALLOWED_HEAP);
  const rate = Math.round((count / (performance.now() - started)) * 1000);
  print(`  ${growth.length === 0 ? 'flat' : `NOT FLAT: ${growth.join('; ')}`}, ${rate} a second\n`);
  if (growth.length > 0) process.exitCode = 1;
}

await ready();
const idle = await measureIdle(Number(values.idle));
print(
  `${values.idle} idle connections: heap ${(idle.heap / KiB).toFixed(1)} KiB, resident ${(idle.resident / KiB).toFixed(1)} KiB a side\n`,
);
await using peers = await openSoakPeers();
await soak('connect and close', Number(values.cycles), (count) => connectAndClose(peers, count));
await using deadEnds = await openDeadEnds(peers);
await soak('failed dials', Number(values.dials), async (count) => {
  const failed = await failDials(peers.dialler, deadEnds, count);
  if (failed !== count) throw new Error(`${count - failed} dials that had to fail did not`);
});
