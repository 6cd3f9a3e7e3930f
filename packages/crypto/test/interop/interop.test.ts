import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type ChannelLimits, createStreamChannel, type StreamChannel } from '../../src/channel.ts';
import {
  createHandshake,
  createTicketCache,
  type HandshakeOptions,
  type HandshakeResult,
  type RecordCipher,
} from '../../src/handshake.ts';
import { Recorder } from '../channel/channels.ts';
import { alice, carol, createIdentity, NOW, primitives } from '../handshake/peers.ts';

/*
 * Requirement: python3 with the package `cryptography` (Debian: python3-cryptography). Where CI is set its absence is a failure.
 */
const python3 = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import cryptography']).status === 0,
);
const script = fileURLToPath(new URL('peer.py', import.meta.url));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const seed = new Uint8Array(32).fill(50);
const python = createIdentity(50);
const networkKey = new Uint8Array(32).fill(9);
const children: ChildProcessWithoutNullStreams[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null) continue;
    const exited = once(child, 'exit');
    child.kill();
    await exited;
  }
});

/** The bytes that a Python peer writes, and what it says about itself. */
class PythonPeer {
  readonly child: ChildProcessWithoutNullStreams;
  #pending = Buffer.alloc(0);
  #notes = '';
  #hasEnded = false;
  #wake: () => void = () => {};

  constructor(config: object) {
    const keys = { seed: toHex(seed), static: toHex(python.staticKeyPair.secretKey) };
    this.child = spawn(python3!, ['-B', script, JSON.stringify({ ...keys, now: NOW, ...config })]);
    children.push(this.child);
    this.child.stdout.on('data', (chunk: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, chunk]);
      this.#wake();
    });
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.#notes += chunk;
      this.#wake();
    });
    this.child.on('close', () => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  async read(length: number): Promise<Uint8Array> {
    while (this.#pending.length < length) await this.#event();
    const bytes = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return new Uint8Array(bytes);
  }

  /** One line of its report, as an object. */
  async note(): Promise<Record<string, unknown>> {
    while (!this.#notes.includes('\n')) await this.#event();
    const [line = '', ...rest] = this.#notes.split('\n');
    this.#notes = rest.join('\n');
    return JSON.parse(line);
  }

  async readMessage(): Promise<Uint8Array> {
    const [high = 0, low = 0] = await this.read(2);
    return this.read(high * 256 + low);
  }

  writeMessage(message: Uint8Array): void {
    this.child.stdin.write(Buffer.concat([Uint8Array.of(message.length >>> 8, message.length), message]));
  }

  /** The next sign of life. @throws Error when the process has ended. */
  #event(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wake = () => {
        if (this.#hasEnded) reject(new Error(`the Python peer ended: ${this.#notes}`));
        else resolve();
      };
      if (this.#hasEnded) this.#wake();
    });
  }
}

/** Runs our side of a handshake against the process. */
async function shakeHands(
  peer: PythonPeer,
  options: Omit<HandshakeOptions, 'identity'>,
): Promise<HandshakeResult> {
  const handshake = createHandshake({
    identity: alice,
    primitives,
    expectedIdentity: python.publicKey,
    ...options,
  });
  if (options.role === 'initiator') peer.writeMessage(handshake.start(NOW));
  for (;;) {
    const { reply, result } = handshake.receive(await peer.readMessage(), NOW);
    if (reply) peer.writeMessage(reply);
    if (result) return result;
  }
}

/** Sends contents one by one, and waits until each has come back. */
async function echo(
  peer: PythonPeer,
  channel: StreamChannel,
  contents: readonly Uint8Array[],
): Promise<Recorder> {
  const sink = new Recorder();
  for (const [index, content] of contents.entries()) {
    peer.child.stdin.write(Buffer.concat(channel.seal([content])));
    while (sink.records.length <= index) await receiveRecord(peer, channel, sink);
  }
  return sink;
}

async function receiveRecord(peer: PythonPeer, channel: StreamChannel, sink: Recorder): Promise<void> {
  const length = await peer.read(4);
  channel.receive(length, sink);
  channel.receive(await peer.read(new DataView(length.buffer).getUint32(0)), sink);
  const control = channel.takeControl();
  if (control) peer.child.stdin.write(Buffer.concat(control));
}

const ciphers: RecordCipher[] = ['chacha20poly1305', 'aes256gcm', 'aes256gcm-chacha20poly1305'];
const runs = ciphers.flatMap((cipher) =>
  (['initiator', 'responder'] as const).flatMap((role) =>
    (['XX', 'IK', 'XXfallback'] as const).map((pattern) => ({
      cipher,
      role,
      pattern,
      key: pattern !== 'IK' || role === 'initiator',
    })),
  ),
);

/** What makes this pattern happen: the static key that the initiator believes in. */
function believedKey(
  pattern: string,
  responder: { staticKeyPair: { publicKey: Uint8Array } },
): Uint8Array | undefined {
  if (pattern === 'XX') return undefined;
  return (pattern === 'IK' ? responder : carol).staticKeyPair.publicKey;
}

describe('an independent implementation in Python (NZ-HANDSHAKE-01 §13)', () => {
  it('is there wherever CI runs: python3 with cryptography', () => {
    expect(python3 !== undefined || !process.env['CI']).toBe(true);
  });

  if (!python3)
    console.warn('interop: not run for want of python3 with cryptography (Debian: python3-cryptography)');

  it.runIf(python3).each(['48 30'])(
    'opens all %s records and datagrams of our vectors (NZ-CHANNEL-01 §11)',
    (counts) => {
      const vectors = fileURLToPath(new URL('../../../../spec/vectors/NZ-CHANNEL-01.json', import.meta.url));
      const checker = fileURLToPath(new URL('check_vectors.py', import.meta.url));
      const { stdout, stderr } = spawnSync(python3!, ['-B', checker, vectors], { encoding: 'utf8' });
      expect([stdout.trim(), stderr]).toEqual([counts, '']);
    },
  );

  it.runIf(python3).each(runs)(
    'meets us as $role in $pattern with $cipher',
    async ({ cipher, role, pattern, key }) => {
      const early = new TextEncoder().encode('early');
      const believed = believedKey(pattern, role === 'initiator' ? python : alice);
      const peer = new PythonPeer({
        role: role === 'initiator' ? 'r' : 'i',
        ciphers: [cipher],
        ...(key && { networkKey: toHex(networkKey) }),
        ...(role === 'responder' && { early: toHex(early), remoteStatic: believed && toHex(believed) }),
      });
      const result = await shakeHands(peer, {
        role,
        ...(key && { networkKey }),
        ...(role === 'initiator' && { earlyData: early, ...(believed && { remoteStaticKey: believed }) }),
      });
      const note = await peer.note();
      expect(result).toMatchObject({ pattern, recordCipher: cipher, remote: { features: ['python'] } });
      expect(note).toMatchObject({
        pattern,
        cipher,
        hash: toHex(result.handshakeHash),
        identity: toHex(alice.publicKey),
      });
      if (role === 'responder') expect(result.earlyData).toEqual(early);
      else expect(note['early']).toBe(toHex(early));
      await exchange(peer, result);
    },
  );
});

describe('a connection that an independent implementation resumes (NZ-HANDSHAKE-01 §5.7)', () => {
  it
    .runIf(python3)
    .each(
      (['initiator', 'responder'] as const).flatMap((role) =>
        (['initiator', 'responder'] as const).flatMap((again) =>
          [undefined, networkKey].map((key) => ({ role, again, key })),
        ),
      ),
    )('meets us as $role, then as $again in NNpsk0', async ({ role, again, key }) => {
    using tickets = createTicketCache();
    const early = new TextEncoder().encode('early');
    const common = { tickets, ...(key && { networkKey: key }) };
    const peer = new PythonPeer({
      role: role === 'initiator' ? 'r' : 'i',
      resume: again === 'initiator' ? 'r' : 'i',
      ciphers: ['chacha20poly1305'],
      ...(key && { networkKey: toHex(key) }),
      ...(again === 'responder' && { early: toHex(early) }),
    });
    const first = await shakeHands(peer, { role, ...common });
    expect(first.pattern).toBe('XX');
    first.resumption!.keep();
    const earlyData = again === 'initiator' ? { earlyData: early } : {};
    const result = await shakeHands(peer, { role: again, ...common, ...earlyData });
    expect(result).toMatchObject({ pattern: 'NNpsk0', remote: { identity: python.publicKey } });
    const note = await peer.note();
    expect(note).toMatchObject({ pattern: 'NNpsk0', hash: toHex(result.handshakeHash) });
    expect(again === 'responder' ? toHex(result.earlyData!) : note['early']).toBe(toHex(early));
    await exchange(peer, result);
  });

  it.runIf(python3).each([undefined, networkKey])('falls back when it has lost the ticket', async (key) => {
    using tickets = createTicketCache();
    const common = { tickets, role: 'initiator' as const, ...(key && { networkKey: key }) };
    const keys = { ciphers: ['aes256gcm'], ...(key && { networkKey: toHex(key) }) };
    const peer = new PythonPeer({ role: 'r', resume: 'r', forgets: true, ...keys });
    (await shakeHands(peer, common)).resumption!.keep();
    const result = await shakeHands(peer, common);
    expect(result.pattern).toBe('XXfallback');
    expect(await peer.note()).toMatchObject({ pattern: 'XXfallback', hash: toHex(result.handshakeHash) });
    await exchange(peer, result);
  });
});

/** Records of all sizes, across key updates and Diffie-Hellman steps that both sides ask for, then the close. */
async function exchange(peer: PythonPeer, result: HandshakeResult): Promise<void> {
  const limits: Partial<ChannelLimits> = { updateRecords: 4, ratchetBytes: 60_000 };
  const channel = createStreamChannel(result, { now: NOW, primitives, limits });
  const texts = ['first', 'update', 'behind the update', 'ratchet', 'behind the step'];
  const large = [1_519, 1_520, 20_000, 66_560, 3].map((length) => new Uint8Array(length).fill(length));
  const contents = [...texts.map((text) => new TextEncoder().encode(text)), ...large];
  const sink = await echo(peer, channel, contents);
  expect(sink.records.map(toHex)).toEqual(contents.map(toHex));
  peer.child.stdin.write(Buffer.concat(channel.close()));
  while (sink.closes === 0) await receiveRecord(peer, channel, sink);
  const { ratchets } = channel.counters;
  expect(await peer.note()).toMatchObject({ ratchets });
  expect(ratchets).toBeGreaterThanOrEqual(2);
  expect(channel.isRemoteClosed).toBe(true);
}
