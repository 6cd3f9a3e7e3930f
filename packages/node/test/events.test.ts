import { describe, expect, it } from 'vitest';
import { TypedEventTarget } from '../src/events.ts';

describe('events', () => {
  it('reach listeners until they are taken away', () => {
    const target = new TypedEventTarget<{ ping: number }>();
    const seen: number[] = [];
    const off = target.on('ping', (detail) => seen.push(detail));
    target.emit('ping', 1);
    off();
    target.emit('ping', 2);
    target.on('ping', (detail) => seen.push(detail), { once: true });
    target.emit('ping', 3);
    target.emit('ping', 4);
    expect(seen).toEqual([1, 3]);
  });
});
