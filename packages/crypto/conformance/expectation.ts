import { equalBytes } from '../src/index.ts';
import { type Fields, textField, VectorFileError } from './outcome.ts';

/** What a vector says about itself; `acceptable` leaves open whether the input is refused. */
export type Verdict = 'valid' | 'invalid' | 'acceptable';

/** The vector's verdict. @throws VectorFileError */
export function verdictOf(test: Fields): Verdict {
  const result = textField(test, 'result');
  if (result !== 'valid' && result !== 'invalid' && result !== 'acceptable') {
    throw new VectorFileError(`the result ${result} is unknown`);
  }
  return result;
}

/** Throws unless both are the same bytes. */
export function expectSame(what: string, ours: Uint8Array, expected: Uint8Array): void {
  if (!equalBytes(ours, expected)) throw new Error(`${what} differs from the vector's`);
}

/** Throws unless the action throws an error of exactly the class and, where it has one, the code. */
export function expectRefusal(
  action: () => unknown,
  expected: 'RangeError' | 'AUTHENTICATION_FAILED' | 'INVALID_KEY',
): void {
  let given: unknown;
  try {
    action();
  } catch (error) {
    given = error;
  }
  if (given === undefined) throw new Error('accepted what the vector calls invalid');
  const { name, code } = given as { name?: string; code?: string };
  if (name !== expected && code !== expected) {
    throw new Error(`refused by ${String(given)} in place of ${expected}`);
  }
}
