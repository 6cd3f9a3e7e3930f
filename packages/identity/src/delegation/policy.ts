/**
 * UCAN's policy language: statements over the arguments of an invocation. Policies of a chain are a conjunction, so
 * a delegation can only narrow what it received (spec/identity.md §8.3).
 *
 * The evaluator reads own properties only, matches patterns without regular expressions, and its work is bounded: the
 * author of a policy and the arguments may both be hostile.
 */
import { isSelector } from './policy-selector.ts';

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
const MAX_PATTERN_LENGTH = 256;

/** Whether a decoded value is a policy within the bounds. */
export function isPolicy(value: unknown): value is Policy {
  return Array.isArray(value) && checkStatements(value, { depth: 0, statements: 0 });
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

function isPattern(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_PATTERN_LENGTH;
}
