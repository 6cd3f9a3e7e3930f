import type { Policy, PolicyStatement, PolicyValue } from './policy.ts';
import { isMap, select } from './policy-selector.ts';

// A pattern costs its length times that of the text; a longer text is undecided.
const MAX_MATCHED_LENGTH = 4096;
// Steps of one policy over arguments of any size: some tens of milliseconds at most.
const MAX_WORK = 2 ** 20;

/**
 * Whether every statement holds for the arguments. A statement whose selector finds nothing, or a value of another
 * type, is undecided; neither it nor its negation holds. So is what is left when the work is used up.
 */
export function policyAllows(policy: Policy, args: PolicyValue): boolean {
  const work: Work = { left: MAX_WORK };
  return conjunction(policy.map((statement) => decide(statement, args, work))) === true;
}

/** Characters, values and members that may still be looked at. */
interface Work {
  left: number;
}

function isAffordable(work: Work, steps: number): boolean {
  work.left -= steps;
  return work.left >= 0;
}

/** Kleene's three-valued logic: undefined is "cannot be decided", so a negation never turns it into consent. */
type Decision = boolean | undefined;

function conjunction(decisions: readonly Decision[]): Decision {
  if (decisions.includes(false)) return false;
  return decisions.includes(undefined) ? undefined : true;
}

function disjunction(decisions: readonly Decision[]): Decision {
  if (decisions.includes(true)) return true;
  return decisions.includes(undefined) ? undefined : false;
}

function negation(decision: Decision): Decision {
  return decision === undefined ? undefined : !decision;
}

function decide(statement: PolicyStatement, args: PolicyValue, work: Work): Decision {
  if (!isAffordable(work, costOf(statement))) return undefined;
  switch (statement[0]) {
    case 'not':
      return negation(decide(statement[1], args, work));
    case 'and':
      return conjunction(statement[1].map((nested) => decide(nested, args, work)));
    case 'or':
      // As in UCAN: an empty disjunction restricts nothing.
      return (
        statement[1].length === 0 || disjunction(statement[1].map((nested) => decide(nested, args, work)))
      );
    case 'all':
    case 'any': {
      const decisions = elements(select(args, statement[1]))?.map((value) =>
        decide(statement[2], value, work),
      );
      if (decisions === undefined) return undefined;
      return statement[0] === 'all' ? conjunction(decisions) : disjunction(decisions);
    }
    default:
      return compare(statement, select(args, statement[1]), work);
  }
}

/** One for the statement, and its selector, which is read each time. */
function costOf([, selector]: PolicyStatement): number {
  return typeof selector === 'string' ? 1 + selector.length : 1;
}

function elements(value: PolicyValue | undefined): readonly PolicyValue[] | undefined {
  if (Array.isArray(value)) return value as readonly PolicyValue[];
  return isMap(value) ? Object.values(value) : undefined;
}

type Comparison = Extract<PolicyStatement, readonly [string, string, string | number | PolicyValue]>;

function compare(statement: Comparison, value: PolicyValue | undefined, work: Work): Decision {
  if (value === undefined) return undefined;
  const operand = statement[2];
  switch (statement[0]) {
    case '==':
      return equals(value, operand as PolicyValue, work);
    case '!=':
      return !equals(value, operand as PolicyValue, work);
    case 'like':
      return typeof value === 'string' && value.length <= MAX_MATCHED_LENGTH
        ? matchesGlob(value, operand as string, work)
        : undefined;
    default:
      return typeof value === 'number' ? ordered(statement[0] as '<', value, operand as number) : undefined;
  }
}

function ordered(operator: '<' | '<=' | '>' | '>=', value: number, limit: number): boolean {
  switch (operator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
  }
}

function equals(a: PolicyValue | undefined, b: PolicyValue | undefined, work: Work): boolean {
  work.left--;
  if (a === b) return true;
  if (a instanceof Uint8Array) {
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  }
  if (Array.isArray(a)) {
    const other = b as readonly PolicyValue[];
    return (
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, i) => equals(item as PolicyValue, other[i], work))
    );
  }
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  work.left -= keys.length;
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equals(a[key], b[key], work))
  );
}

/** `*` stands for any characters, `\*` for a star; greedy with one point to return to, so never exponential. */
function matchesGlob(text: string, pattern: string, work: Work): Decision {
  if (!isAffordable(work, pattern.length)) return undefined;
  const tokens = pattern.match(/\\\*|[\s\S]/g) ?? [];
  let at = 0;
  let token = 0;
  let starToken = -1;
  let starAt = 0;
  while (at < text.length) {
    if (!isAffordable(work, 1)) return undefined;
    const expected = tokens[token];
    if (expected === '*') {
      starToken = token++;
      starAt = at;
    } else if (expected !== undefined && (expected === '\\*' ? '*' : expected) === text[at]) {
      token++;
      at++;
    } else if (starToken >= 0) {
      token = starToken + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every((rest) => rest === '*');
}
