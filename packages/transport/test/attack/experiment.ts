import { setTimeout as delay } from 'node:timers/promises';
import type { AttackOptions, AttackReport } from './attack.ts';
import { defaultBounds } from './bounds.ts';
import { endChild, nextMessage, startChild } from './child.ts';
import { type HonestPeer, openHonestPeer } from './honest-peer.ts';
import type { VictimAddress, VictimSample } from './victim.ts';

/** Until an attacker's process has compiled its code and begun, in milliseconds. */
const ATTACKER_START = 800;

/** The longest that an attack in full is waited for, in milliseconds. */
const LONGEST_ATTACK = 180_000;

/** How long an attacker's leftovers may live at most, in milliseconds: longer than a handshake may take. */
const SETTLING_TIME = 20_000;

/** How long, and how hard. */
export interface ExperimentOptions {
  readonly scale: number;
  /** Milliseconds that the honest peer's latency is measured, once in quiet and once under attack. */
  readonly milliseconds: number;
  /** The attack is measured until it has done all that it wants to, for three minutes at most; some never have. */
  readonly isFull?: boolean;
}

/** Milliseconds of the honest peer's round trips. */
export interface Latency {
  readonly median: number;
  readonly p95: number;
  readonly samples: number;
}

/** What one attack did to the victim and to an honest peer. */
export interface Outcome {
  readonly attack: string;
  readonly done: AttackReport['done'];
  readonly quiet: Latency;
  readonly attacked: Latency;
  /** Largest growth of the victim's resident memory while the attack went on, and what was left of it afterwards, in bytes. */
  readonly peakGrowth: number;
  readonly leftGrowth: number;
  /** Heap that did not come back, in bytes. */
  readonly leftHeap: number;
  /** Share of one core that the victim used while it was attacked, and 2 s after the attack had ended. */
  readonly load: number;
  readonly loadAfter: number;
  /** Connections that the victim still had afterwards; the honest one is the only one that should be there. */
  readonly connectionsLeft: number;
  /** A new honest peer could connect during the attack. */
  readonly newcomerServed: boolean;
}

interface Victim {
  readonly address: VictimAddress;
  sample(request?: 'sample' | 'collect'): Promise<VictimSample>;
  end(): Promise<void>;
}

async function startVictim(): Promise<Victim> {
  const child = startChild('victim.ts');
  const address = await nextMessage<VictimAddress>(child);
  const sample = (request = 'sample'): Promise<VictimSample> => {
    const answer = nextMessage<VictimSample>(child);
    child.send(request);
    return answer;
  };
  return { address, sample, end: () => endChild(child) };
}

function summarize(milliseconds: readonly number[]): Latency {
  const sorted = Float64Array.from(milliseconds).sort();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.POSITIVE_INFINITY;
  return { median: at(0.5), p95: at(0.95), samples: sorted.length };
}

/** The largest resident memory until `signal` says stop. */
async function watchMemory(victim: Victim, signal: AbortSignal): Promise<number> {
  let peak = 0;
  while (!signal.aborted) {
    peak = Math.max(peak, (await victim.sample()).resident);
    await delay(250, undefined, { signal }).catch(() => undefined);
  }
  return peak;
}

/** Measures on until the attacker has reported. */
async function measureUntil(report: Promise<unknown>, honest: HonestPeer): Promise<number[]> {
  const latencies: number[] = [];
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  report.then(end, end);
  const deadline = performance.now() + LONGEST_ATTACK;
  while (!isOver && performance.now() < deadline) latencies.push(...(await honest.measure(1000)));
  return latencies;
}

interface Stage {
  readonly victim: Victim;
  readonly honest: HonestPeer;
  readonly options: ExperimentOptions;
}

/** Starts the attacks, measures the honest peer meanwhile, stops them. */
async function measureUnderAttack(names: readonly string[], { victim, honest, options }: Stage) {
  const attackOptions: Omit<AttackOptions, 'signal'> = { ...victim.address, scale: options.scale };
  const attacker = startChild('attacker.ts', [names.join(','), JSON.stringify(attackOptions)]);
  const report = nextMessage<AttackReport>(attacker);
  const over = new AbortController();
  try {
    await delay(ATTACKER_START);
    const before = await victim.sample();
    const peak = watchMemory(victim, over.signal);
    const newcomer = honest.newcomer(victim.address);
    const latencies = await honest.measure(options.milliseconds);
    if (options.isFull === true) latencies.push(...(await measureUntil(report, honest)));
    over.abort();
    const peakResident = await peak;
    const after = await victim.sample();
    attacker.send('stop');
    const { done } = await report;
    const load = (after.cpu - before.cpu) / (after.time - before.time);
    return { attacked: summarize(latencies), done, load, peakResident, newcomerServed: await newcomer };
  } finally {
    over.abort();
    await endChild(attacker);
  }
}

/** What is left when time limits have passed: handshakes and datagram sessions of an attacker live for some seconds. */
async function settle(victim: Victim, heapBefore: number): Promise<VictimSample> {
  const deadline = performance.now() + SETTLING_TIME;
  for (;;) {
    const sample = await victim.sample('collect');
    if (sample.heap - heapBefore <= defaultBounds.leftHeap || performance.now() > deadline) return sample;
    await delay(1000);
  }
}

/** One victim, one honest peer and one attacker, each in a process of its own, and a fresh start. */
export async function runExperiment(names: readonly string[], options: ExperimentOptions): Promise<Outcome> {
  const victim = await startVictim();
  const honest = await openHonestPeer(victim.address);
  try {
    await honest.measure(500);
    const quiet = summarize(await honest.measure(options.milliseconds));
    const before = await victim.sample('collect');
    const { peakResident, ...during } = await measureUnderAttack(names, { victim, honest, options });
    await delay(2000);
    const ended = await victim.sample();
    await delay(1000);
    const idle = await victim.sample();
    const after = await settle(victim, before.heap);
    return {
      attack: names.join(', '),
      ...during,
      quiet,
      peakGrowth: peakResident - before.resident,
      leftGrowth: after.resident - before.resident,
      leftHeap: after.heap - before.heap,
      loadAfter: (idle.cpu - ended.cpu) / (idle.time - ended.time),
      connectionsLeft: after.connections,
    };
  } finally {
    await honest.close();
    await victim.end();
  }
}
