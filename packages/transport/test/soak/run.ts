/**
 * `pnpm soak [--cycles N] [--dials N] [--idle N] [--message BYTES]`: 100,000 connections, 10,000 failed dials, 1,000 idle connections and a
 * message of 1 GiB; exit 1 when something grows. 0 leaves a part out.
 */
import { parseArgs } from 'node:util';
import { ready } from '@nzcore/crypto';
import { connectAndClose, failDials, openSoakPeers } from './cycles.ts';
import { openDeadEnds } from './dead-ends.ts';
import { measureIdle } from './idle.ts';
import { sendLargeMessage } from './large-message.ts';
import { findGrowth, measureResources } from './resources.ts';

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    cycles: { type: 'string', default: '100000' },
    dials: { type: 'string', default: '10000' },
    idle: { type: 'string', default: '1000' },
    message: { type: 'string', default: String(2 ** 30) },
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

/** Bytes of one message that may be under way: the largest windows, sockets, and the piece that waits. */
const ALLOWED_UNDER_WAY = 48 * KiB * KiB;
/** Resident memory that a message may take, with what the collector has not come to yet. */
const ALLOWED_RESIDENT = 160 * KiB * KiB;

async function soakMessage(bytes: number): Promise<void> {
  await sendLargeMessage(peers, Math.min(bytes, 64 * KiB * KiB));
  const { underWay, resident, seconds } = await sendLargeMessage(peers, bytes);
  const MiB = (count: number): string => `${(count / KiB / KiB).toFixed(1)} MiB`;
  const holds = underWay <= ALLOWED_UNDER_WAY && resident <= ALLOWED_RESIDENT;
  print(
    `a message of ${MiB(bytes)}: at most ${MiB(underWay)} under way, resident +${MiB(resident)}, ${seconds.toFixed(1)} s`,
  );
  print(`  ${holds ? 'constant memory' : 'NOT CONSTANT'}\n`);
  if (!holds) process.exitCode = 1;
}

await ready();
if (Number(values.idle) > 0) {
  const idle = await measureIdle(Number(values.idle));
  const [heap, resident] = [idle.heap, idle.resident].map((bytes) => `${(bytes / KiB).toFixed(1)} KiB`);
  print(`${values.idle} idle connections: heap ${heap}, resident ${resident} a side\n`);
}
await using peers = await openSoakPeers();
if (Number(values.message) > 0) await soakMessage(Number(values.message));
if (Number(values.cycles) > 0)
  await soak('connect and close', Number(values.cycles), (count) => connectAndClose(peers, count));
await using deadEnds = await openDeadEnds(peers);
if (Number(values.dials) > 0)
  await soak('failed dials', Number(values.dials), async (count) => {
    const failed = await failDials(peers.dialler, deadEnds, count);
    if (failed !== count) throw new Error(`${count - failed} dials that had to fail did not`);
  });
