/**
 * UCAN's policy language: statements over the arguments of an invocation. Policies of a chain are a conjunction, so
 * a delegation can only narrow what it received (spec/identity.md §8.3).
 *
 * The evaluator reads own properties only, matches patterns without regular expressions, and its work is bounded: the
 * author of a policy and the arguments may both be hostile.
 */

/** A value as arguments and policies carry it. */
export type PolicyValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly PolicyValue[]
  | { readonly [key: string]: PolicyValue };

/**
 * One statement. A selector is `.` (everything) or steps such as `.to[0].name`, `.["odd key"]?`; `?` makes a
 * missing step null instead of a refusal.
 */
export type PolicyStatement =
  | readonly ['==' | '!=', selector: string, value: PolicyValue]
  | readonly ['<' | '<=' | '>' | '>=', selector: string, value: number]
  | readonly ['like', selector: string, pattern: string]
  | readonly ['not', statement: PolicyStatement]
  | readonly ['and' | 'or', statements: readonly PolicyStatement[]]
  | readonly ['all' | 'any', selector: string, statement: PolicyStatement];

/** Statements that must all hold; an empty policy allows everything. */
export type Policy = readonly PolicyStatement[];

// A policy travels inside an 8 KiB token; these bounds are on the work of evaluating it.
const MAX_STATEMENTS = 64;
// Two arrays for each level, in a structure of at most 16.
const MAX_DEPTH = 6;
const MAX_SELECTOR_STEPS = 16;
const MAX_SELECTOR_LENGTH = 256;
const MAX_PATTERN_LENGTH = 256;
// A pattern costs its length times that of the text; a longer text is undecided.
const MAX_MATCHED_LENGTH = 4096;
// Steps of one policy over arguments of any size: some tens of milliseconds at most.
const MAX_WORK = 2 ** 20;
const STEP_PATTERN =
  /\.?\["([^"\\\]]{0,64})"\](\??)|\.?\[(-?\d{1,9})\](\??)|\.([A-Za-z_][A-Za-z0-9_-]{0,63})(\??)/y;

/** Whether a decoded value is a policy within the bounds. */
export function isPolicy(value: unknown): value is Policy {
  return Array.isArray(value) && checkStatements(value, { depth: 0, statements: 0 });
}

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

interface PolicyCount {
  depth: number;
  statements: number;
}

function checkStatements(statements: readonly unknown[], count: PolicyCount): boolean {
  return statements.every((statement) => checkStatement(statement, count));
}

function checkStatement(statement: unknown, count: PolicyCount): boolean {
  count.statements++;
  if (!Array.isArray(statement) || count.statements > MAX_STATEMENTS || count.depth >= MAX_DEPTH)
    return false;
  const nested: PolicyCount = { depth: count.depth + 1, statements: count.statements };
  const valid = checkOperands(statement, nested);
  count.statements = nested.statements;
  return valid;
}

function checkOperands(statement: readonly unknown[], nested: PolicyCount): boolean {
  const [operator, first, second] = statement;
  switch (operator) {
    case '==':
    case '!=':
      return statement.length === 3 && isSelector(first);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return statement.length === 3 && isSelector(first) && typeof second === 'number';
    case 'like':
      return statement.length === 3 && isSelector(first) && isPattern(second);
    case 'not':
      return statement.length === 2 && checkStatement(first, nested);
    case 'and':
    case 'or':
      return statement.length === 2 && Array.isArray(first) && checkStatements(first, nested);
    case 'all':
    case 'any':
      return statement.length === 3 && isSelector(first) && checkStatement(second, nested);
    default:
      return false;
  }
}

function isSelector(value: unknown): value is string {
  return typeof value === 'string' && parseSelector(value) !== undefined;
}

function isPattern(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_PATTERN_LENGTH;
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

interface Step {
  readonly key: string | number;
  readonly optional: boolean;
}

function parseSelector(selector: string): readonly Step[] | undefined {
  if (selector === '.') return [];
  if (selector.length > MAX_SELECTOR_LENGTH) return undefined;
  const steps: Step[] = [];
  const pattern = new RegExp(STEP_PATTERN);
  while (pattern.lastIndex < selector.length) {
    const match = pattern.exec(selector);
    if (match === null || steps.length === MAX_SELECTOR_STEPS) return undefined;
    const [, quoted, quotedOptional, index, indexOptional, name, nameOptional] = match;
    const key = index === undefined ? (quoted ?? name ?? '') : Number(index);
    steps.push({ key, optional: (quotedOptional ?? indexOptional ?? nameOptional) === '?' });
  }
  return selector.startsWith('.') && steps.length > 0 ? steps : undefined;
}

function select(args: PolicyValue, selector: string): PolicyValue | undefined {
  let value: PolicyValue | undefined = args;
  for (const { key, optional } of parseSelector(selector) ?? [{ key: '', optional: false }]) {
    value = step(value, key);
    if (value === undefined) {
      if (!optional) return undefined;
      value = null;
    }
  }
  return value;
}

function step(value: PolicyValue | undefined, key: string | number): PolicyValue | undefined {
  if (typeof key === 'number')
    return Array.isArray(value) ? (value as readonly PolicyValue[]).at(key) : undefined;
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
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

function isMap(value: PolicyValue | undefined): value is { readonly [key: string]: PolicyValue } {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
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
