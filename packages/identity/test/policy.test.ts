import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPolicy, type Policy, type PolicyStatement, type PolicyValue } from '../src/delegation/policy.ts';
import { policyAllows } from '../src/delegation/policy-evaluation.ts';

const args: PolicyValue = {
  to: ['alice@example.org', 'bob@example.org'],
  subject: 'Weekly report',
  size: 10,
  draft: true,
  key: Uint8Array.of(1, 2),
  nested: { 'odd key': { deep: null } },
};

const allows = (...policy: PolicyStatement[]) => {
  expect(isPolicy(policy)).toBe(true);
  return policyAllows(policy, args);
};

describe('policy', () => {
  it.each<[boolean, PolicyStatement]>([
    [true, ['==', '.subject', 'Weekly report']],
    [false, ['==', '.subject', 'Weekly']],
    [true, ['!=', '.subject', 'Weekly']],
    [true, ['==', '.key', Uint8Array.of(1, 2)]],
    [false, ['==', '.key', Uint8Array.of(1, 3)]],
    [true, ['==', '.to', ['alice@example.org', 'bob@example.org']]],
    [true, ['==', '.nested', { 'odd key': { deep: null } }]],
    [false, ['==', '.nested', { 'odd key': { deep: null }, more: 1 }]],
    [true, ['==', '.["nested"]["odd key"].deep', null]],
    [true, ['==', '.to[-1]', 'bob@example.org']],
    [false, ['==', '.to[2]', 'bob@example.org']],
    [false, ['!=', '.missing', 1]],
    [true, ['==', '.missing?', null]],
    [true, ['<', '.size', 11]],
    [false, ['<', '.size', 10]],
    [true, ['<=', '.size', 10]],
    [true, ['>', '.size', 9]],
    [true, ['>=', '.size', 10]],
    [false, ['>', '.subject', 1]],
    [true, ['like', '.subject', 'Week*report']],
    [true, ['like', '.subject', '*']],
    [false, ['like', '.subject', 'week*']],
    [false, ['like', '.subject', 'Weekly \\*']],
    [false, ['like', '.size', '*']],
    [true, ['not', ['==', '.draft', false]]],
    [
      true,
      [
        'and',
        [
          ['==', '.draft', true],
          ['>', '.size', 1],
        ],
      ],
    ],
    [
      false,
      [
        'and',
        [
          ['==', '.draft', true],
          ['>', '.size', 99],
        ],
      ],
    ],
    [
      true,
      [
        'or',
        [
          ['==', '.draft', false],
          ['>', '.size', 1],
        ],
      ],
    ],
    [
      false,
      [
        'or',
        [
          ['==', '.draft', false],
          ['>', '.size', 99],
        ],
      ],
    ],
    [true, ['or', []]],
    [true, ['all', '.to', ['like', '.', '*@example.org']]],
    [false, ['all', '.to', ['like', '.', 'alice*']]],
    [true, ['any', '.to', ['like', '.', 'alice*']]],
    [false, ['any', '.to', ['like', '.', 'carol*']]],
    [false, ['all', '.subject', ['==', '.', 1]]],
    [true, ['any', '.nested', ['==', '.deep', null]]],
  ])('gives %s for %j', (expected, statement) => {
    expect(allows(statement)).toBe(expected);
  });

  it('is a conjunction, and empty allows everything', () => {
    expect(allows()).toBe(true);
    expect(allows(['>', '.size', 1], ['<', '.size', 5])).toBe(false);
  });

  it('lets no negation turn a missing or ill-typed value into consent', () => {
    expect(allows(['not', ['>', '.missing', 10]])).toBe(false);
    expect(allows(['not', ['>', '.subject', 10]])).toBe(false);
    expect(
      allows([
        'not',
        [
          'and',
          [
            ['==', '.draft', true],
            ['==', '.missing', 1],
          ],
        ],
      ]),
    ).toBe(false);
    expect(
      allows([
        'not',
        [
          'or',
          [
            ['==', '.draft', false],
            ['==', '.missing', 1],
          ],
        ],
      ]),
    ).toBe(false);
    expect(allows(['not', ['any', '.missing', ['==', '.', 1]]])).toBe(false);
    // Decided without the missing value:
    expect(
      allows([
        'or',
        [
          ['==', '.draft', true],
          ['==', '.missing', 1],
        ],
      ]),
    ).toBe(true);
    expect(
      allows([
        'not',
        [
          'and',
          [
            ['==', '.draft', false],
            ['==', '.missing', 1],
          ],
        ],
      ]),
    ).toBe(true);
  });

  it('reads own properties only', () => {
    expect(allows(['!=', '.constructor', null])).toBe(false);
    expect(allows(['!=', '.__proto__', null])).toBe(false);
    expect(allows(['!=', '.to["length"]', null])).toBe(false);
  });

  it.each<[string, unknown]>([
    ['no array', { 0: '==' }],
    ['an unknown operator', [['matches', '.a', 'b']]],
    ['a missing operand', [['==', '.a']]],
    ['an extra operand', [['==', '.a', 1, 2]]],
    ['a selector without a dot', [['==', 'a', 1]]],
    ['an empty selector', [['==', '', 1]]],
    ['a trailing dot', [['==', '.a.', 1]]],
    ['a selector of 17 steps', [['==', '.a'.repeat(17), 1]]],
    ['a long selector', [['==', `.["${'a'.repeat(64)}"]`.repeat(5), 1]]],
    ['a comparison with text', [['<', '.a', 'b']]],
    ['a long pattern', [['like', '.a', 'x'.repeat(257)]]],
    ['65 statements', Array.from({ length: 65 }, () => ['==', '.a', 1])],
    ['65 nested statements', [['and', Array.from({ length: 64 }, () => ['==', '.a', 1])]]],
    ['7 levels', [nest(6)]],
  ])('refuses %s', (_, policy) => {
    expect(isPolicy(policy)).toBe(false);
  });

  it('takes 6 levels and 64 statements', () => {
    expect(isPolicy([nest(5)])).toBe(true);
    expect(isPolicy(Array.from({ length: 64 }, () => ['==', '.a', 1]))).toBe(true);
  });

  it('matches a hostile pattern without exploding', () => {
    const policy: Policy = [['like', '.a', `${'*a'.repeat(120)}b`]];
    const start = performance.now();
    expect(policyAllows(policy, { a: 'a'.repeat(4096) })).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
    // Longer texts are not matched at all, so that the cost is bounded.
    expect(policyAllows([['like', '.a', '*']], { a: 'a'.repeat(4096) })).toBe(true);
    expect(policyAllows([['like', '.a', '*']], { a: 'a'.repeat(4097) })).toBe(false);
    expect(policyAllows([['not', ['like', '.a', 'b*']]], { a: 'a'.repeat(4097) })).toBe(false);
  });

  it('refuses instead of working for seconds: hostile statements over many arguments', () => {
    const pattern = `*${'a'.repeat(250)}b`;
    const args = { list: Array<string>(64).fill('a'.repeat(4096)), map: numbered(20_000) };
    const one: PolicyStatement = ['all', '.list', ['not', ['like', '.', pattern]]];
    const deep: PolicyStatement = [
      'all',
      '.map',
      ['or', Array(30).fill(['==', `.${'["a"]?'.repeat(16)}`, 1])],
    ];
    const equal: PolicyStatement = ['not', ['==', '.map', {}]];
    const start = process.cpuUsage();
    for (const statement of [one, deep, equal]) {
      const policy = Array<PolicyStatement>(statement === deep ? 2 : 20).fill(statement);
      expect(isPolicy(policy)).toBe(true);
      expect(policyAllows(policy, args)).toBe(statement === equal);
    }
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(3000);
    // Nothing that is left undecided turns into consent.
    expect(policyAllows([['or', [one, ['==', '.map', 1]]]], args)).toBe(false);
    // An honest one over as many arguments is decided.
    expect(policyAllows([['all', '.list', ['like', '.', 'a*']]], args)).toBe(true);
  });

  it('gives a boolean for any value and any policy', () => {
    const statement = fc.letrec<{ s: unknown }>((tie) => ({
      s: fc.oneof(
        { maxDepth: 4 },
        fc.tuple(
          fc.constantFrom('==', '!=', '<', 'like', 'x'),
          fc.constantFrom('.', '.a', '.a[0]', 'a'),
          fc.jsonValue(),
        ),
        fc.tuple(fc.constantFrom('not', 'and'), tie('s')),
        fc.tuple(fc.constantFrom('and', 'or'), fc.array(tie('s'), { maxLength: 3 })),
        fc.tuple(fc.constantFrom('all', 'any'), fc.constantFrom('.', '.a'), tie('s')),
        fc.anything(),
      ),
    })).s;
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 3 }), fc.jsonValue(), (policy, value) => {
        if (isPolicy(policy)) expect(typeof policyAllows(policy, value as PolicyValue)).toBe('boolean');
      }),
    );
  });
});

function numbered(size: number): PolicyValue {
  return Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, i]));
}

function nest(levels: number): unknown {
  return levels === 0 ? ['==', '.a', 1] : ['not', nest(levels - 1)];
}
