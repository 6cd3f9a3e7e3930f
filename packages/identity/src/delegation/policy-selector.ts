import type { PolicyValue } from './policy.ts';

const MAX_SELECTOR_STEPS = 16;
const MAX_SELECTOR_LENGTH = 256;
const STEP_PATTERN =
  /\.?\["([^"\\\]]{0,64})"\](\??)|\.?\[(-?\d{1,9})\](\??)|\.([A-Za-z_][A-Za-z0-9_-]{0,63})(\??)/y;

/** Whether a value is a selector within the bounds. */
export function isSelector(value: unknown): value is string {
  return typeof value === 'string' && parseSelector(value) !== undefined;
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

/** What a selector finds in the arguments; undefined when a step that is not optional finds nothing. */
export function select(args: PolicyValue, selector: string): PolicyValue | undefined {
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

/** Whether a value is a map. */
export function isMap(value: PolicyValue | undefined): value is { readonly [key: string]: PolicyValue } {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}
