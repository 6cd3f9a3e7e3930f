import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ResetCode } from '../src/mux/frames.ts';
import type { Stream } from '../src/mux/stream.ts';
import { openUdpEndpoint } from '../src/udp.ts';
import { alice, bob, collect, connectPeers, echo, text } from './connected.ts';
import { createSecurePeer, exchange, serveEcho, until } from './secure-peer.ts';

const broken = (): never => {
  throw new Error('the application is broken');
};
const rejecting = async (): Promise<never> => broken();

/** What a callback threw is said there; an exception that nobody catches fails the run. */
const report = vi.spyOn(console, 'error');
beforeEach(() => report.mockImplementation(() => undefined));
afterEach(() => report.mockReset());

describe.each([
  ['throws', broken],
  ['rejects', rejecting],
])('a callback that %s', (_, callback) => {
  it('of events leaves the manager and every connection as they were', async () => {
    await using a = createSecurePeer(1, { onEvent: callback });
    await using b = createSecurePeer(2, { onEvent: callback });
    serveEcho(b);
    const [bound] = await b.manager.listen('/ip4/127.0.0.1/tcp/0');
    const target = `${bound}/p2p/${b.identity.peerId}`;
    await expect(a.manager.connect('/ip4/127.0.0.1/tcp/1')).rejects.toMatchObject({ code: 'DIAL_FAILED' });
    const connection = await a.manager.connect(target);
    expect(await exchange(await connection.openStream('/test/echo'), text('hello'))).toEqual(text('hello'));
    await connection.close();
    expect((await a.manager.connect(target)).remotePeer).toBe(b.identity.peerId);
    expect(report).toHaveBeenCalled();
  });

  it('of streams ends its stream alone', async () => {
    const onStream = (stream: Stream): unknown =>
      stream.protocol === '/test/broken' ? callback() : echo(stream);
    await using peers = await connectPeers({ far: { onStream } });
    const ended = collect(await peers.near.openStream('/test/broken'));
    const stream = await peers.near.openStream('/test/echo');
    await until(() => ended.error !== undefined);
    expect(ended.error).toMatchObject({ resetCode: ResetCode.internal });
    expect(await exchange(stream, text('hello'))).toEqual(text('hello'));
  });

  it.each(['onData', 'onEnd', 'onReset'] as const)('of a sink, %s, ends its stream alone', async (name) => {
    let calls = 0;
    const sink = { onData: () => {}, onEnd: () => {}, onReset: () => {} };
    const thrown = () => {
      calls++;
      return callback();
    };
    const onStream = (stream: Stream): void =>
      stream.protocol === '/test/broken' ? stream.receive({ ...sink, [name]: thrown }) : echo(stream);
    await using peers = await connectPeers({ far: { onStream } });
    const stream = await peers.near.openStream('/test/broken');
    const ended = collect(stream);
    stream.write(text('hello'));
    if (name === 'onEnd') stream.closeWrite().catch(() => undefined);
    if (name === 'onReset') {
      await peers.near.ping();
      stream.reset();
    }
    await until(() => calls === 1 && ended.error !== undefined);
    if (name !== 'onReset') expect(ended.error).toMatchObject({ resetCode: ResetCode.internal });
    expect(await exchange(await peers.near.openStream('/test/echo'), text('hello'))).toEqual(text('hello'));
  });

  it('of a goodbye leaves the connection to end in order', async () => {
    const onGoAway = vi.fn(callback);
    await using peers = await connectPeers({ far: { onGoAway, onStream: echo } });
    const stream = await peers.near.openStream('/test/echo');
    const closing = peers.near.close();
    await until(() => onGoAway.mock.calls.length === 1);
    expect(await exchange(stream, text('hello'))).toEqual(text('hello'));
    await closing;
    expect(await peers.far.closed).toBeUndefined();
    expect(report).toHaveBeenCalledWith(expect.stringContaining('a callback threw'), expect.any(Error));
  });

  it('of datagrams leaves requests to be answered', async () => {
    const address = '/ip4/127.0.0.1/udp/0';
    const hooks = { onEvent: callback, onForeignDatagram: callback, onStaticKey: callback };
    await using server = await openUdpEndpoint({
      ...hooks,
      identity: bob,
      address,
      onRequest: ({ content }) => (content.length === 0 ? callback() : content),
    });
    await using client = await openUdpEndpoint({ ...hooks, identity: alice, address });
    await client.sendForeign(Uint8Array.of(0, 1, 0, 0), server.address);
    const refused = client.request(bob.peerId, server.address, new Uint8Array(0));
    await expect(refused).rejects.toMatchObject({ code: 'REQUEST_FAILED' });
    expect(await client.request(bob.peerId, server.address, text('hello'))).toEqual(text('hello'));
    expect(report.mock.calls.length).toBeGreaterThan(3);
  });
});
