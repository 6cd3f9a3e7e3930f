import { describe, expect, it } from 'vitest';
import { TransportError } from '../src/errors.ts';
import { createMessenger, MESSAGE_PROTOCOL, type MessageHandler, type Messenger } from '../src/index.ts';
import { listenOnFirstFree } from '../src/manager/listen-on-first-free.ts';
import { alice, bob, type Connected, connectPeers, text } from './connected.ts';

const MAX_BYTES = 1000;

interface Pair extends AsyncDisposable {
  readonly connected: Connected;
  readonly sender: Messenger;
  readonly receiver: Messenger;
  readonly handlers: Set<MessageHandler>;
  readonly taken: string[];
  opened: number;
}

/** Alice sends to Bob over one connection; `handlers` are Bob's. */
async function messengers({ receiverMaxBytes = MAX_BYTES } = {}): Promise<Pair> {
  const handlers = new Set<MessageHandler>();
  const taken: string[] = [];
  const receiver = createMessenger({
    openStream: () => Promise.reject(new TransportError('NO_ADDRESS', 'Bob sends nothing')),
    maxBytes: receiverMaxBytes,
    handlers,
    onMessage: ({ from, bytes }) =>
      taken.push(`${from === alice.peerId}: ${new TextDecoder().decode(bytes)}`),
  });
  const connected = await connectPeers({
    far: { onStream: (stream) => receiver.serve(stream) },
  });
  const pair: Pair = {
    connected,
    receiver,
    handlers,
    taken,
    opened: 0,
    sender: createMessenger({
      openStream: (_peer, protocol) => {
        pair.opened++;
        return connected.near.openStream(protocol);
      },
      maxBytes: MAX_BYTES,
      handlers: new Set(),
    }),
    [Symbol.asyncDispose]: () => connected[Symbol.asyncDispose](),
  };
  return pair;
}

describe('messages between peers (spec/core.md §5)', () => {
  it('are acknowledged after all handlers took them, and not before (§5.1)', async () => {
    await using pair = await messengers();
    let release = (): void => undefined;
    pair.handlers.add(() => new Promise<void>((resolve) => (release = resolve)));
    pair.handlers.add(() => undefined);
    let isAcknowledged = false;
    const sent = pair.sender.send(bob.peerId, text('hello')).then(() => (isAcknowledged = true));
    await pair.connected.near.ping();
    expect([isAcknowledged, pair.taken]).toEqual([false, []]);
    release();
    await sent;
    expect(pair.taken).toEqual(['true: hello']);
  });

  it('fail when nobody takes them or a handler fails, and the next one goes over the same stream (§5.1)', async () => {
    await using pair = await messengers();
    const refused = pair.sender.send(bob.peerId, text('a'));
    await expect(refused).rejects.toMatchObject({ code: 'REQUEST_FAILED' });
    const failing: MessageHandler = () => Promise.reject(new Error('a secret of the handler'));
    pair.handlers.add(failing);
    const failed = await pair.sender.send(bob.peerId, text('b')).catch((error: Error) => error);
    expect(failed).toMatchObject({ code: 'REQUEST_FAILED' });
    expect(String(failed)).not.toContain('secret');
    pair.handlers.delete(failing);
    pair.handlers.add(() => undefined);
    await pair.sender.send(bob.peerId, text('c'));
    expect([pair.taken, pair.opened]).toEqual([['true: c'], 1]);
  });

  it('arrive in the order of the calls, over one stream (§5.3)', async () => {
    await using pair = await messengers();
    pair.handlers.add(() => undefined);
    const names = Array.from({ length: 50 }, (_, index) => `${index}`);
    await Promise.all(names.map((name) => pair.sender.send(bob.peerId, text(name))));
    expect(pair.taken).toEqual(names.map((name) => `true: ${name}`));
    expect(pair.opened).toBe(1);
  });

  it('that are too long are refused on both sides (§5.4)', async () => {
    await using pair = await messengers({ receiverMaxBytes: 10 });
    pair.handlers.add(() => undefined);
    await expect(pair.sender.send(bob.peerId, new Uint8Array(MAX_BYTES + 1))).rejects.toThrow(RangeError);
    expect(pair.opened).toBe(0);
    await expect(pair.sender.send(bob.peerId, new Uint8Array(11))).rejects.toThrow(TransportError);
    expect(pair.taken).toEqual([]);
  });

  it('get a new stream after theirs has failed', async () => {
    await using pair = await messengers();
    pair.handlers.add(() => undefined);
    await pair.sender.send(bob.peerId, text('a'));
    pair.sender.release(pair.connected.near);
    await expect(pair.sender.send(bob.peerId, text('b'))).rejects.toThrow(TransportError);
    await pair.sender.send(bob.peerId, text('c'));
    expect([pair.taken, pair.opened]).toEqual([['true: a', 'true: c'], 2]);
  });

  it('keep nothing of a stream that cannot be opened, and can be given up', async () => {
    await using pair = await messengers();
    await expect(pair.receiver.send(alice.peerId, text('x'))).rejects.toMatchObject({ code: 'NO_ADDRESS' });
    const signal = AbortSignal.abort(new RangeError('enough'));
    await expect(pair.sender.send(bob.peerId, text('x'), { signal })).rejects.toThrow('enough');
    pair.handlers.add(() => new Promise(() => undefined));
    const controller = new AbortController();
    const sent = pair.sender.send(bob.peerId, text('x'), { signal: controller.signal });
    controller.abort(new Error('no time'));
    await expect(sent).rejects.toThrow('no time');
  });

  it('no longer hold a connection open once the messenger is closed', async () => {
    await using pair = await messengers();
    pair.handlers.add(() => undefined);
    await pair.sender.send(bob.peerId, text('a'));
    const closed = pair.connected.near.close();
    pair.sender.close();
    await closed;
    expect(MESSAGE_PROTOCOL).toBe('/nz/message/1');
  });
});

describe('listening on the first free address', () => {
  const taken = new TransportError('LISTEN_FAILED', 'x', {
    cause: Object.assign(new Error('x'), { code: 'EADDRINUSE' }),
  });
  const connections = (answers: Readonly<Record<string, Error | undefined>>) => ({
    listen: (address: string) =>
      answers[address] === undefined ? Promise.resolve([address]) : Promise.reject(answers[address]),
  });

  it('passes over those that are taken, and over no other failure', async () => {
    expect(await listenOnFirstFree(connections({ a: taken }), ['a', 'b', 'c'])).toEqual(['b']);
    expect(await listenOnFirstFree(connections({}), [])).toEqual([]);
    const broken = new TransportError('LISTEN_FAILED', 'broken');
    await expect(listenOnFirstFree(connections({ a: broken }), ['a', 'b'])).rejects.toBe(broken);
    await expect(listenOnFirstFree(connections({ a: taken, b: taken }), ['a', 'b'])).rejects.toBe(taken);
  });
});
