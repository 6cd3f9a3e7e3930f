import type { ByteConnection } from '../byte-connection.ts';
import type { Transport } from '../transport.ts';
import { bytes, check, equal, failure, offsetOf, pattern, rejects, turns } from './suite-checks.ts';
import { connect, createEnd, gate, type Pair } from './suite-ends.ts';

/** A transport and where it can listen in this test run. */
export interface TransportUnderTest {
  /** Listens. */
  readonly transport: Transport;
  /** Dials; another instance, or the same. */
  readonly dialler: Transport;
  /** An address to listen on, with port 0 where there are ports. */
  readonly listenAddress: string;
  /** An address that can be dialled and where nobody listens. */
  readonly deadAddress: string;
  /** An address of another transport. */
  readonly foreignAddress: string;
  /**
   * The place of an address under a name, such as `localhost`; for transports that resolve names and let `isAllowedIp` look at the answer.
   * @defaultValue there are no names
   */
  readonly nameOf?: (address: string) => string;
}

/** What the compliance suite runs with. */
export interface TransportSuiteOptions {
  /** Registers a test: `test` or `it` of the runner. */
  readonly test: (name: string, run: () => Promise<void>) => void;
  readonly create: () => TransportUnderTest | Promise<TransportUnderTest>;
}

/** What every {@link Transport} must do: registers one test a claim. */
export function runTransportSuite({ test, create }: TransportSuiteOptions): void {
  const withPair = (name: string, run: (pair: Pair) => Promise<void>): void =>
    test(name, async () => {
      const pair = await connect(await create());
      try {
        await run(pair);
      } finally {
        await pair.dispose();
      }
    });

  test('understands its own addresses and no others', async () => {
    const { transport, dialler, listenAddress, deadAddress, foreignAddress } = await create();
    check(transport.canListen(listenAddress), 'canListen is true for its own address');
    check(dialler.canDial(deadAddress), 'canDial is true for its own address');
    for (const text of [foreignAddress, '', 'nonsense', '/ip4/1.2.3.4', '/ip4/999.1.1.1/tcp/1']) {
      check(!dialler.canDial(text), `canDial is false for ${JSON.stringify(text)}`);
      check(!transport.canListen(text), `canListen is false for ${JSON.stringify(text)}`);
    }
  });

  test('rejects a dial to where nobody listens with DIAL_FAILED', async () => {
    const { dialler, deadAddress } = await create();
    await rejects(dialler.dial(deadAddress), 'DIAL_FAILED');
  });

  test('connects a name only to addresses that isAllowedIp accepts', async () => {
    const { transport, dialler, listenAddress, nameOf } = await create();
    if (nameOf === undefined) return;
    let accepted = 0;
    const onConnection = (connection: ByteConnection): void => {
      accepted++;
      connection.destroy();
    };
    await using listener = await transport.listen(listenAddress, { onConnection });
    const name = nameOf(listener.addresses[0]!);
    const asked: Uint8Array[] = [];
    const dial = (isAllowed: boolean): Promise<ByteConnection> =>
      dialler.dial(name, { isAllowedIp: (ip) => asked.push(ip) > 0 && isAllowed });
    await rejects(dial(false), 'DIAL_FAILED');
    check(asked.length > 0, 'isAllowedIp is asked');
    check(
      asked.every(({ length }) => length === 4 || length === 16),
      'it gets 4 or 16 bytes',
    );
    await turns(5);
    check(accepted === 0, 'nothing is connected to that it refuses');
    (await dial(true)).destroy();
  });

  for (const callback of ['onData', 'onEnd', 'onDrain', 'onClose'] as const) {
    withPair(
      `drops a connection whose ${callback} throws, and no other`,
      async ({ near, far, subject, listener }) => {
        const other = createEnd(await subject.dialler.dial(listener.addresses[0]!));
        other.start();
        const fault = new Error(`${callback} is broken`);
        const thrown = gate<void>();
        const isGone = gate<void>();
        const broken = (): never => {
          thrown.open();
          throw fault;
        };
        near.connection.start({
          ...{ onData: () => {}, onEnd: () => {}, onDrain: () => {}, onClose: () => isGone.open() },
          [callback]: broken,
        });
        if (callback === 'onData') await far.send([bytes(3)]);
        if (callback === 'onEnd') far.connection.end();
        if (callback === 'onClose') near.connection.destroy();
        if (callback === 'onDrain') for (let i = 0; i < 512 && near.connection.write([bytes(65_536)]); i++);
        await thrown.promise;
        if (callback !== 'onClose') await isGone.promise;
        await Promise.race([far.ended, far.closed]);
        await other.send([pattern(5000, 0)]);
        check(equal(await other.received(5000), pattern(5000, 0)), 'the other connection goes on');
        other.connection.destroy();
      },
    );
  }

  test('drops a connection that onConnection throws at, and accepts the next', async () => {
    const { transport, dialler, listenAddress } = await create();
    let accepted = 0;
    const onConnection = (connection: ByteConnection): void => {
      if (++accepted === 1) throw new Error('onConnection is broken');
      connection.start({ onData: () => {}, onEnd: () => {}, onDrain: () => {}, onClose: () => {} });
      connection.write([bytes(10)]);
    };
    await using listener = await transport.listen(listenAddress, { onConnection });
    const first = createEnd(await dialler.dial(listener.addresses[0]!));
    first.start();
    await Promise.race([first.ended, first.closed]);
    first.connection.destroy();
    const second = createEnd(await dialler.dial(listener.addresses[0]!));
    second.start();
    await second.received(10);
    second.connection.destroy();
  });

  test('rejects an aborted dial and an aborted listen with the reason of the signal', async () => {
    const { transport, dialler, listenAddress, deadAddress } = await create();
    const reason = new Error('changed my mind');
    const signal = AbortSignal.abort(reason);
    const ignored = (connection: ByteConnection): void => connection.destroy();
    check((await failure(dialler.dial(deadAddress, { signal }))) === reason, 'dial gives the reason');
    check(
      (await failure(transport.listen(listenAddress, { signal, onConnection: ignored }))) === reason,
      'listen gives the reason',
    );
  });

  test('rejects a second listener on a bound address with LISTEN_FAILED', async () => {
    const { transport, listenAddress } = await create();
    const onConnection = (connection: ByteConnection): void => connection.destroy();
    await using listener = await transport.listen(listenAddress, { onConnection });
    await rejects(transport.listen(listener.addresses[0]!, { onConnection }), 'LISTEN_FAILED');
  });

  test('stops accepting when the listener is disposed of, twice, and keeps what it accepted', async () => {
    const subject = await create();
    const pair = await connect(subject);
    await pair.listener[Symbol.asyncDispose]();
    await pair.listener[Symbol.asyncDispose]();
    await rejects(subject.dialler.dial(pair.listener.addresses[0]!), 'DIAL_FAILED');
    pair.near.connection.write([bytes(3)]);
    await pair.far.received(3);
    await pair.dispose();
  });

  withPair('reports addresses that it understands itself', async ({ near, far, subject, listener }) => {
    check(subject.dialler.canDial(listener.addresses[0]!), 'the bound address can be dialled');
    check(subject.dialler.canDial(near.connection.remoteAddress), 'the remote address can be dialled');
    for (const text of [near.connection.localAddress, far.connection.localAddress]) {
      check(text.startsWith('/'), `${text} is multiaddr text`);
    }
  });

  withPair('delivers bytes in order in both directions, whatever the chunks', async ({ near, far }) => {
    const sizes = [1, 0, 2, 3, 65_536, 7, 8192, 100_000, 1, 300_000, 5];
    const total = sizes.reduce((sum, size) => sum + size, 0);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      await from.send(sizes.map((size, i) => pattern(size, offsetOf(sizes, i))));
      const got = await to.received(total);
      check(equal(got, pattern(total, 0)), 'every byte arrived at its place');
    }
  });

  test('loses nothing that came before start', async () => {
    const { transport, dialler, listenAddress } = await create();
    const accepted = gate<ByteConnection>();
    await using listener = await transport.listen(listenAddress, { onConnection: accepted.open });
    const dialled = await dialler.dial(listener.addresses[0]!);
    dialled.write([pattern(50_000, 0)]);
    const end = createEnd(await accepted.promise);
    await turns(20);
    end.start();
    check(equal(await end.received(50_000), pattern(50_000, 0)), 'what was sent before start arrived');
    end.connection.destroy();
    dialled.destroy();
  });

  withPair('slows the writer of a paused reader, and goes on after resume', async ({ near, far }) => {
    far.connection.pause();
    const chunk = 65_536;
    let written = 0;
    // Buffers of the machine on the way may take some megabytes before the writer feels it.
    while (written < 512 * chunk && near.connection.write([pattern(chunk, written)])) written += chunk;
    written += chunk;
    check(written < 512 * chunk, 'write answers false before 32 MiB wait');
    const before = far.bytes;
    await turns(20);
    check(far.bytes - before <= 4 * 1024 * 1024, 'a paused reader gets no more than was on its way');
    far.connection.resume();
    check(equal(await far.received(written), pattern(written, 0)), 'every byte arrived after resume');
    await near.drained;
  });

  withPair('half-closes: the other direction goes on after end', async ({ near, far }) => {
    near.connection.write([bytes(10)]);
    near.connection.end();
    await far.ended;
    check(far.bytes === 10, 'the bytes before the end arrived first');
    await far.send([bytes(1000)]);
    await near.received(1000);
    far.connection.end();
    await near.ended;
    check((await near.closed) === undefined && (await far.closed) === undefined, 'both closed without error');
  });

  withPair('flushes before it ends', async ({ near, far }) => {
    near.connection.write([pattern(2_000_000, 0)]);
    near.connection.end();
    await far.ended;
    check(equal(await far.received(2_000_000), pattern(2_000_000, 0)), 'every byte came before the end');
  });

  withPair('tells both sides of a destroyed connection, once, and last', async ({ near, far }) => {
    const reason = new Error('enough');
    near.connection.destroy(reason);
    near.connection.destroy(new Error('again'));
    check((await near.closed) === reason, 'the destroyer gets its error');
    await far.ended.then(() => far.connection.end());
    await far.closed;
    await turns(5);
    check(near.closes === 1 && far.closes === 1, 'onClose came once on each side');
    check(near.connection.write([bytes(1)]) === false, 'a write afterwards is ignored');
    near.connection.end();
    near.connection.pause();
    near.connection.resume();
  });

  withPair('lets the handler be replaced without losing a byte', async ({ near, far }) => {
    await near.send([pattern(1000, 0)]);
    await far.received(1000);
    const next = createEnd(far.connection);
    next.start();
    await near.send([pattern(1000, 1000)]);
    check(equal(await next.received(1000), pattern(1000, 1000)), 'the new handler got what followed');
    far.connection.destroy();
    await next.closed;
  });

  withPair('carries many connections at once without mixing them', async ({ subject, listener }) => {
    const dials = Array.from({ length: 20 }, async (_, i) => {
      const end = createEnd(await subject.dialler.dial(listener.addresses[0]!));
      end.start();
      await end.send([pattern(5000, i)]);
      return end;
    });
    const ends = await Promise.all(dials);
    for (const [i, end] of ends.entries()) {
      check(equal(await end.received(5000), pattern(5000, i)), 'each connection got its own bytes back');
      end.connection.destroy();
    }
  });
}
