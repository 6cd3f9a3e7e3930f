import { describe, expect, it } from 'vitest';
import type { Trial } from '../src/area.ts';
import { type Gate, standingOf } from '../src/gates.ts';
import { formatJsonRow, formatTable } from '../src/report.ts';
import { runTrial } from '../src/rounds.ts';

const metric = { name: 'speed', unit: 'MB/s', better: 'higher' } as const;

function trialOf(scripts: Record<string, (round: number) => number>, log: string[] = []): Trial {
  const contestants = Object.entries(scripts).map(([name, script]) => ({
    name,
    open: () => {
      let round = 0;
      const measure = () => {
        log.push(name);
        return script(round++);
      };
      return { measure, close: () => void log.push(`close ${name}`) };
    },
  }));
  return { metrics: [metric], contestants, warmupRounds: 1 };
}

describe('runTrial', () => {
  it('measures in turn, begins each round with another contestant, and closes all', async () => {
    const log: string[] = [];
    await runTrial(trialOf({ ours: () => 1, a: () => 1, b: () => 1 }, log), { rounds: 3, nodeMajor: 20 });
    expect(log.join(' ')).toBe('ours a b ours a b a b ours b ours a close ours close a close b');
  });

  it('throws the warm-up away and answers medians and their ratio', async () => {
    const ours = (round: number) => [1000, 30, 10, 20][round]!;
    const [row] = await runTrial(trialOf({ ours, a: () => 10 }), { rounds: 3, nodeMajor: 20 });
    expect(row).toMatchObject({ peer: 'a', ours: 20, theirs: 10, ratio: 2, spread: [1, 3], rounds: 3 });
  });

  it('takes the median of the turns of a round, which begin with another contestant each', async () => {
    const log: string[] = [];
    const ours = (call: number) => [1, 1, 1, 30, 1000, 10, 50, 40, 1][call]!;
    const trial = { ...trialOf({ ours, a: () => 10 }, log), turns: 3 };
    const [row] = await runTrial(trial, { rounds: 2, nodeMajor: 20 });
    expect(row).toMatchObject({ ours: 35, theirs: 10, spread: [3, 4], rounds: 2 });
    expect(log.join(' ')).toBe(
      'ours a a ours ours a ours a a ours ours a a ours ours a a ours close ours close a',
    );
  });

  it('leaves out a peer that fails and one that needs a newer Node, and says so', async () => {
    const notes: string[] = [];
    const failing = () => {
      throw new Error('broken pipe');
    };
    const trial = trialOf({ ours: () => 1, a: failing, b: () => 1 });
    const contestants = trial.contestants.map((entry) =>
      entry.name === 'b' ? { ...entry, minimumNode: 22 } : entry,
    );
    const rows = await runTrial(
      { ...trial, contestants },
      { rounds: 2, nodeMajor: 20, onNote: (n) => notes.push(n) },
    );
    expect(rows).toEqual([]);
    expect(notes[0]).toContain('b needs Node 22');
    expect(notes[1]).toContain('broken pipe');
  });

  it('fails when ours fails', async () => {
    const broken = () => {
      throw new Error('we are broken');
    };
    await expect(
      runTrial(trialOf({ ours: broken, a: () => 1 }), { rounds: 1, nodeMajor: 20 }),
    ).rejects.toThrow('we are broken');
  });

  it('gives up a measurement that does not end', async () => {
    const contestants = [
      { name: 'ours', open: () => ({ measure: () => new Promise<number>(() => undefined) }) },
    ];
    const trial = { metrics: [metric], contestants, timeout: 5 };
    await expect(runTrial(trial, { rounds: 1, nodeMajor: 20 })).rejects.toThrow('no answer in 5 ms');
  });
});

describe('the report', () => {
  const row = { metric, peer: 'a', ours: 20, theirs: 10, ratio: 2, spread: [1, 3] as const, rounds: 7 };
  const gate = (goal: Partial<Gate>): Gate => ({ metric: 'speed', peer: 'a', of: 'ratio', gate: 2, ...goal });

  it('is one JSON object a row', () => {
    expect(JSON.parse(formatJsonRow(row, { area: 'x', node: '24.0.0' }))).toEqual({
      area: 'x',
      metric: 'speed',
      ours: 20,
      peer: 'a',
      theirs: 10,
      ratio: 2,
      rounds: 7,
      node: '24.0.0',
    });
  });

  it('says where a row stands, by the worst of its goals', () => {
    expect(standingOf([], row)).toBe('no goal');
    expect(standingOf([gate({ peer: 'b' })], row)).toBe('no goal');
    expect(standingOf([gate({})], row)).toBe('ok');
    expect(standingOf([gate({ stretch: 2 })], row)).toBe('stretch reached');
    expect(standingOf([gate({ stretch: 2 }), gate({ peer: '*', of: 'ours', gate: 21 })], row)).toBe(
      'below gate',
    );
    expect(formatTable([row], [gate({ gate: 3 })])).toContain('below gate (gate >= 3x)');
  });

  it('takes less as better where the metric says so', () => {
    const lower = { ...row, metric: { ...metric, better: 'lower' as const } };
    expect(standingOf([gate({ gate: 1.9 })], lower)).toBe('below gate');
    expect(standingOf([gate({ gate: 2.1, stretch: 2 })], lower)).toBe('stretch reached');
  });

  it('keeps a figure between a gate and a limit, either way', () => {
    const lower = { ...row, metric: { ...metric, better: 'lower' as const } };
    const between = (limit: number, goal: number) => gate({ peer: '*', of: 'ours', gate: goal, limit });
    expect(standingOf([between(10, 30)], lower)).toBe('ok');
    expect(standingOf([between(20, 20)], lower)).toBe('ok');
    expect(standingOf([between(21, 30)], lower)).toBe('below gate');
    expect(standingOf([between(10, 19)], lower)).toBe('below gate');
    expect(standingOf([between(30, 10)], row)).toBe('ok');
    expect(standingOf([between(19, 10)], row)).toBe('below gate');
    expect(formatTable([lower], [between(21, 30)])).toContain('below gate (gate 21 to 30 MB/s)');
  });
});
