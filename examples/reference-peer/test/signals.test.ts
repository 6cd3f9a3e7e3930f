import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { stopOnSignals } from '../src/signals.ts';

describe('signals', () => {
  it('stop once, and a second one gives up', () => {
    const source = new EventEmitter();
    const stop = vi.fn(() => new Promise<void>(() => undefined));
    const giveUp = vi.fn();
    const off = stopOnSignals(source, { stop, giveUp });
    source.emit('SIGTERM');
    expect(giveUp).not.toHaveBeenCalled();
    source.emit('SIGINT');
    expect(stop).toHaveBeenCalledTimes(1);
    expect(giveUp).toHaveBeenCalledWith('a second signal came while stopping');
    off();
    expect(source.listenerCount('SIGTERM')).toBe(0);
  });

  it('give up when stopping takes too long or fails', async () => {
    vi.useFakeTimers();
    const source = new EventEmitter();
    const giveUp = vi.fn();
    stopOnSignals(source, { stop: () => new Promise(() => undefined), giveUp });
    source.emit('SIGINT');
    vi.advanceTimersByTime(5000);
    vi.useRealTimers();
    expect(giveUp).toHaveBeenCalledWith('stopping took more than 5000 ms');
    const failing = new EventEmitter();
    stopOnSignals(failing, { stop: () => Promise.reject(new Error('no')), giveUp });
    failing.emit('SIGINT');
    await vi.waitFor(() => expect(giveUp).toHaveBeenCalledWith('no'));
  });
});
