import type { PeerId } from '@nzcore/identity';
import { type NodeEvents, type PeerNode, TypedEventTarget } from '@nzcore/node';
import { describe, expect, it } from 'vitest';
import { tellConnections } from '../src/report.ts';

describe('what is told of connections', () => {
  it('names an address that fails once for people until its peer was there, and each time for programs', () => {
    const node = new TypedEventTarget<NodeEvents>();
    const events: string[] = [];
    const texts: string[] = [];
    tellConnections(node as PeerNode, {
      tell: ({ event }, text) => {
        events.push(event);
        if (text !== undefined) texts.push(text);
      },
    });
    const peerId = 'z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH' as PeerId;
    const address = '/ip4/127.0.0.1/tcp/9';
    const message = `${address}: connect ECONNREFUSED 127.0.0.1:9`;
    const fail = (): void => node.emit('dialFailed', { peerId, address, code: 'DIAL_FAILED', message });
    fail();
    fail();
    expect(texts).toEqual([`cannot reach ${peerId} at ${address}: nobody listens there now`]);
    node.emit('connected', { peerId, address, direction: 'outbound' });
    node.emit('disconnected', { peerId, reason: 'bad\u001b[2J' });
    fail();
    expect(texts).toHaveLength(4);
    expect(texts[2]).toBe(`disconnected  ${peerId}: bad\\u{1b}[2J`);
    expect(events).toEqual(['dial-failed', 'dial-failed', 'connected', 'disconnected', 'dial-failed']);
  });
});
