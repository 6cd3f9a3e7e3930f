import { describe, expect, it } from 'vitest';
import { createLoss, TransportError } from '../src/errors.ts';

describe('the error of a connection that ended', () => {
  it('is a TransportError with its cause and no frames of whoever noticed', () => {
    const cause = new Error('reset');
    const loss = createLoss('The connection broke.', { cause });
    expect(loss).toBeInstanceOf(TransportError);
    expect(loss.code).toBe('CONNECTION_LOST');
    expect(loss.cause).toBe(cause);
    expect(loss.stack ?? '').not.toContain('\n    at ');
  });

  it('leaves the length of other stack traces as it was', () => {
    const limit = Error.stackTraceLimit;
    createLoss('The connection broke.');
    expect(Error.stackTraceLimit).toBe(limit);
    expect(new Error('another').stack?.split('\n').length).toBeGreaterThan(1);
  });
});
