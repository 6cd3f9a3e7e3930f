import { describe, expect, it } from 'vitest';
import { parseBenchOptions } from '../src/command-line.ts';
import { median, percentile } from '../src/statistics.ts';

describe('parseBenchOptions', () => {
  it('reads the area and its options, with or without the separator that pnpm passes on', () => {
    const options = parseBenchOptions([
      'transport',
      '--',
      '--json',
      '--rounds',
      '3',
      '--node',
      '24',
      '--metric',
      'bulk,rtt',
      '--load',
      'awake',
    ]);
    expect(options).toMatchObject({
      area: 'transport',
      json: true,
      rounds: 3,
      node: '24',
      metrics: ['bulk', 'rtt'],
      peers: [],
      load: 'awake',
    });
  });

  it.each([
    [[]],
    [['a', 'b']],
    [['../x']],
    [['a', '--rounds', '0']],
    [['a', '--node', '18']],
    [['a', '--load', 'some']],
    [['a', '--nope']],
  ])('refuses %j', (args) => {
    expect(() => parseBenchOptions(args)).toThrow();
  });
});

describe('statistics', () => {
  it('finds the median and percentiles', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(percentile([5, 1, 4, 2, 3], 0.5)).toBe(3);
    expect(percentile([1, 2, 3], 0.99)).toBe(3);
    expect(() => median([])).toThrow(RangeError);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });
});
