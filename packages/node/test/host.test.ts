import { describe, expect, it } from 'vitest';
import { TypedEventTarget } from '../src/events.ts';
import { reachableAddresses } from '../src/host/reachable.ts';

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

describe('reachable addresses', () => {
  it('are the interfaces of a wildcard, loopback last', () => {
    const addresses = reachableAddresses('/ip4/0.0.0.0/tcp/4001/ws');
    expect(addresses.at(-1)).toBe('/ip4/127.0.0.1/tcp/4001/ws');
    expect(addresses).not.toContain('/ip4/0.0.0.0/tcp/4001/ws');
  });

  it('are the address itself otherwise', () => {
    expect(reachableAddresses('/ip4/127.0.0.1/tcp/1')).toEqual(['/ip4/127.0.0.1/tcp/1']);
    expect(reachableAddresses('/memory/a')).toEqual(['/memory/a']);
  });
});
