import {
  createHandshake,
  type Handshake,
  type HandshakeResult,
  type Resumption,
} from '@nzcore/crypto/handshake';
import { publicKeyFromPeerId } from '@nzcore/identity';
import type { ByteConnection, ByteConnectionHandler } from '../byte-connection.ts';
import { TransportError } from '../errors.ts';
import { WIRE_VERSION_1, WIRE_VERSION_2 } from '../mux/frames.ts';
import { resolveLimits } from '../mux/limits.ts';
import { MAX_RECORD } from '../mux/record-builder.ts';
import { behindDial, behindTurn } from '../time/event-loop.ts';
import { createTimers, type Timers, type TimerTarget } from '../time/timers.ts';
import type { Connection } from './connection.ts';
import { endedHandshake, upgradeError } from './connection-errors.ts';
import { frameHandshakeMessage, HandshakeReader } from './handshake-framing.ts';
import { SecureConnection } from './secure-connection.ts';
import type { OutboundUpgradeOptions, UpgradeOptions } from './upgrade-options.ts';

/** A record must hold an OPEN frame with its first data, NZ-WIRE-01 §2. */
const MIN_RECORD = 16 * 1024;

/**
 * Authenticates the other end of a byte stream that this side dialled, and makes a connection of it.
 * The byte stream is destroyed when that fails.
 *
 * @param bytes - The promise of `Transport.dial` will do: the first message of the handshake is then made while the network connects.
 * @throws TransportError `PEER_MISMATCH`, `HANDSHAKE_FAILED`, `HANDSHAKE_TIMEOUT`, `VERSION_UNSUPPORTED`; the signal's reason;
 * what the promise rejects with.
 */
export function upgradeOutbound(
  bytes: ByteConnection | Promise<ByteConnection>,
  options: OutboundUpgradeOptions,
): Promise<Connection> {
  let handshake: Handshake;
  try {
    handshake = createInitiator(options);
  } catch (error) {
    // Who only has the promise of a stream cannot end it.
    if ('then' in bytes) bytes.then((connected) => connected.destroy()).catch(() => undefined);
    throw error;
  }
  if (!('then' in bytes)) return run(bytes, handshake, options, true);
  behindDial(() => prepare(handshake, options.wallClock ?? Date.now));
  return bytes.then(
    (connected) => run(connected, handshake, options, true),
    (reason) => {
      handshake[Symbol.dispose]();
      throw reason;
    },
  );
}

function createInitiator(options: OutboundUpgradeOptions): Handshake {
  const { expectedPeer, remoteStaticKey } = options;
  return createHandshake({
    ...handshakeOptions(options),
    role: 'initiator',
    ...(expectedPeer === undefined ? {} : { expectedIdentity: publicKeyFromPeerId(expectedPeer) }),
    ...(remoteStaticKey === undefined ? {} : { remoteStaticKey }),
  });
}

/** The responder of IK, or of a resumed handshake, waits for a record: who dialled mostly has something to say at once, else a ping says it. */
function confirm(connection: SecureConnection): void {
  if (connection.stats.recordsSent === 0) connection.ping().catch(() => undefined); // Its end is told by `closed`.
}

function prepare(handshake: Handshake, wallClock: () => number): void {
  try {
    handshake.prepare(wallClock());
  } catch {
    // Whatever is wrong with the keys, `start` meets it again and tells it.
  }
}

/**
 * Authenticates the peer at the other end of a byte stream that was accepted, and makes a connection of it.
 * The byte stream is destroyed when that fails.
 *
 * @throws TransportError `HANDSHAKE_FAILED`, `HANDSHAKE_TIMEOUT`, `VERSION_UNSUPPORTED`; the signal's reason.
 */
export function upgradeInbound(bytes: ByteConnection, options: UpgradeOptions): Promise<Connection> {
  return run(bytes, createHandshake({ ...handshakeOptions(options), role: 'responder' }), options, false);
}

function handshakeOptions(options: UpgradeOptions): Omit<Parameters<typeof createHandshake>[0], 'role'> {
  const { identity, networkKey, recordCiphers, tickets, features = [] } = options;
  return {
    identity,
    features,
    maxRecordSize: MAX_RECORD,
    versions: options.versions ?? { min: WIRE_VERSION_1, max: WIRE_VERSION_2 },
    ...(networkKey === undefined ? {} : { networkKey }),
    ...(recordCiphers === undefined ? {} : { recordCiphers }),
    ...(tickets === undefined ? {} : { tickets }),
  };
}

function run(
  bytes: ByteConnection,
  handshake: Handshake,
  options: UpgradeOptions,
  isInitiator: boolean,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    new Upgrade(bytes, { handshake, options, resolve, reject }).start(isInitiator);
  });
}

interface UpgradeRun {
  readonly handshake: Handshake;
  readonly options: UpgradeOptions;
  readonly resolve: (connection: Connection) => void;
  readonly reject: (reason: unknown) => void;
}

/** Carries the handshake's messages over the byte stream until there is a connection or a failure. */
class Upgrade implements ByteConnectionHandler, TimerTarget {
  readonly #bytes: ByteConnection;
  readonly #run: UpgradeRun;
  readonly #reader = new HandshakeReader();
  readonly #timers: Timers;
  readonly #wallClock: () => number;
  /** Gets what follows the last message of the handshake. */
  #connection: SecureConnection | undefined;
  #resumption: Resumption | undefined;
  /** The other side waits for a record. */
  #isAwaited = false;
  #isAnswered = false;
  #isOver = false;

  constructor(bytes: ByteConnection, upgradeRun: UpgradeRun) {
    this.#bytes = bytes;
    this.#run = upgradeRun;
    this.#timers = upgradeRun.options.timers ?? createTimers();
    this.#wallClock = upgradeRun.options.wallClock ?? Date.now;
  }

  start(isInitiator: boolean): void {
    const { signal, limits } = this.#run.options;
    if (signal?.aborted) {
      this.#fail(signal.reason);
      return;
    }
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#timers.set(this, this.#timers.now() + resolveLimits(limits).handshakeTimeout);
    this.#bytes.start(this);
    try {
      if (isInitiator && !this.#isOver) this.#send(this.#run.handshake.start(this.#wallClock()));
    } catch (error) {
      this.#fail(upgradeError(error));
    }
  }

  onData(chunk: Uint8Array): void {
    this.#isAnswered = true;
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#connection !== undefined) {
        this.#connection.handler.onData(rest);
        return;
      }
      if (this.#isOver) return;
      rest = this.#read(rest);
    }
  }

  onDrain(): void {
    this.#connection?.handler.onDrain();
  }

  onEnd(): void {
    if (this.#connection !== undefined) this.#connection.handler.onEnd();
    else this.#fail(endedHandshake(this.#isAnswered));
  }

  onClose(cause?: Error): void {
    if (this.#connection !== undefined) this.#connection.handler.onClose(cause);
    else if (cause === undefined) this.#fail(endedHandshake(this.#isAnswered));
    else
      this.#fail(
        new TransportError('HANDSHAKE_FAILED', 'The connection broke during the handshake.', { cause }),
      );
  }

  onTimeout(): void {
    this.#fail(new TransportError('HANDSHAKE_TIMEOUT', 'The handshake took too long.'));
  }

  readonly #onAbort = (): void => this.#fail(this.#run.options.signal?.reason);

  /** @returns what is left of the chunk */
  #read(chunk: Uint8Array): Uint8Array {
    try {
      const { used, message } = this.#reader.read(chunk);
      if (message !== undefined) {
        const { reply, result } = this.#run.handshake.receive(message, this.#wallClock());
        if (reply !== undefined) this.#send(reply);
        if (result !== undefined) this.#finishAndForget(result);
      }
      return chunk.subarray(used);
    } catch (error) {
      this.#fail(upgradeError(error));
      return chunk.subarray(chunk.length);
    }
  }

  #send(message: Uint8Array): void {
    this.#bytes.write([frameHandshakeMessage(message)]);
  }

  #finishAndForget(result: HandshakeResult): void {
    try {
      this.#finish(result);
    } finally {
      // What was not taken: there will be no datagrams under this handshake, and no stream when it could not be used.
      result.secrets[Symbol.dispose]();
    }
  }

  #finish(result: HandshakeResult): void {
    this.#resumption = result.resumption;
    this.#isAwaited = result.role === 'initiator' && (result.pattern === 'IK' || result.pattern === 'NNpsk0');
    if (result.maxRecordSize < MIN_RECORD) {
      throw new TransportError('VERSION_UNSUPPORTED', 'The records of the other end are too small.');
    }
    const { identity, limits, onStream, onGoAway, sharedMemory } = this.#run.options;
    const connection = new SecureConnection({
      bytes: this.#bytes,
      result,
      localIdentity: identity.publicKey,
      limits: resolveLimits(limits),
      timers: this.#timers,
      onStream,
      onGoAway,
      sharedMemory,
      // A repeated first message gets no further than this: nothing of it is authentic before a record is.
      onFirstRecord: result.isReplayable ? () => this.#resolve(connection) : undefined,
    });
    this.#connection = connection;
    this.#bytes.start(connection.handler);
    if (result.isReplayable) {
      void connection.closed.then(() =>
        this.#fail(new TransportError('HANDSHAKE_FAILED', 'The connection ended before its first record.')),
      );
      return;
    }
    this.#resolve(connection);
  }

  #resolve(connection: SecureConnection): void {
    this.#settle();
    this.#run.resolve(connection);
    const resumption = this.#resumption;
    const isAwaited = this.#isAwaited;
    if (resumption === undefined && !isAwaited) return;
    behindTurn(() => {
      resumption?.keep();
      if (isAwaited) setTimeout(confirm, 0, connection);
    });
  }

  #fail(reason: unknown): void {
    if (this.#isOver) return;
    this.#settle();
    this.#run.handshake[Symbol.dispose]();
    this.#resumption?.[Symbol.dispose]();
    this.#run.reject(reason);
    this.#connection?.abort();
    this.#bytes.destroy();
  }

  #settle(): void {
    this.#isOver = true;
    this.#timers.set(this, undefined);
    this.#run.options.signal?.removeEventListener('abort', this.#onAbort);
  }
}
