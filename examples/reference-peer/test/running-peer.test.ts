import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { openKeystore } from '@nzcore/identity/keystore';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChildPeer } from '../src/child-peer.ts';
import { loopback, openPlace, type Place } from './real-peer.ts';

const passphrase = 'a passphrase that no other file may hold';
// Each test starts processes, and each of those derives a key from a passphrase, which takes a second by design.
vi.setConfig({ testTimeout: 60_000 });

let place: Place;

beforeEach(async () => {
  place = await openPlace();
});
afterEach(() => place[Symbol.asyncDispose]());

interface Started {
  readonly peer: ChildPeer;
  readonly peerId: string;
  readonly address: string;
}

async function start(name: string, args: readonly string[] = []): Promise<Started> {
  const own = ['--data-dir', place.path(name), '--received-dir', place.path(`${name}-received`), ...loopback];
  const peer = place.run([...own, ...args], { NZCORE_PASSPHRASE: passphrase });
  const ready = await peer.take({ event: 'ready' });
  const [address = ''] = ready['addresses'] as string[];
  return { peer, peerId: String(ready['peerId']), address };
}

async function connected(): Promise<[Started, Started]> {
  const alice = await start('alice');
  const bob = await start('bob', ['--bootstrap', alice.address]);
  await bob.peer.take({ event: 'connected', peerId: alice.peerId });
  await alice.peer.take({ event: 'connected', peerId: bob.peerId });
  return [alice, bob];
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function rawSocket(address: string): Promise<Socket> {
  const port = Number(/\/tcp\/(\d+)/.exec(address)?.[1]);
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket)).on('error', reject);
  });
}

describe('two peers', () => {
  it('exchange messages and files by commands, told as JSON lines and nothing else', async () => {
    const [alice, bob] = await connected();
    bob.peer.type(`send ${alice.peerId.slice(-6)} hello  there`);
    await alice.peer.take({ event: 'message', from: bob.peerId, text: 'hello  there' });
    await bob.peer.take({ event: 'sent', to: alice.peerId, bytes: 12 });
    await writeFile(place.path('notes.txt'), 'some notes');
    alice.peer.type(`send-file ${bob.peerId} ${place.path('notes.txt')}`);
    const file = await bob.peer.take({ event: 'file', from: alice.peerId, name: 'notes.txt', bytes: 10 });
    await alice.peer.take({ event: 'file-sent', sha256: file['sha256'] });
    expect(await readFile(String(file['path']), 'utf8')).toBe('some notes');
    for (const { peer } of [alice, bob]) expect([peer.otherLines, peer.errors]).toEqual([[], '']);
  });

  it('say whose code computes the curves of their handshakes', async () => {
    const peer = place.run([...loopback, '--data-dir', place.path('alice')], {
      NZCORE_PASSPHRASE: passphrase,
    });
    const isInstalled = await import('sodium-native').then(
      () => true,
      () => false,
    );
    await peer.take({ event: 'ready', curves: isInstalled ? 'native' : 'portable' });
  });

  it('say what is wrong with a command, and go on', async () => {
    const [alice, bob] = await connected();
    for (const line of [
      'dance',
      'send nobody x',
      `send-file ${alice.peerId} ${place.path('none')}`,
      'connect x',
    ]) {
      bob.peer.type(line);
      const { message } = await bob.peer.take({ event: 'error' });
      expect(message).toEqual(expect.any(String));
    }
    bob.peer.type('peers');
    const { connected: peers } = await bob.peer.take({ event: 'peers' });
    expect(peers).toMatchObject([{ peerId: alice.peerId, direction: 'outbound' }]);
  });

  it('are not troubled by somebody who sends garbage, or connects and says nothing', async () => {
    const [alice, bob] = await connected();
    const silent = await rawSocket(alice.address);
    const noisy = await rawSocket(alice.address);
    const gone = new Promise((resolve) => noisy.once('close', resolve));
    noisy.on('error', () => undefined).write(Buffer.alloc(100_000, 0xa5));
    await gone;
    const eight = await rawSocket(alice.address);
    eight.on('error', () => undefined).write(Buffer.from('00000000ffffffff', 'hex'));
    bob.peer.type(`send ${alice.peerId} still here`);
    await alice.peer.take({ event: 'message', text: 'still here' });
    alice.peer.type('peers');
    const { connected: peers } = await alice.peer.take({ event: 'peers' });
    expect(peers).toHaveLength(1);
    for (const socket of [silent, eight]) socket.destroy();
  });
});

describe('a killed peer', () => {
  it('removes what it had received in part when it comes back', async () => {
    const [alice, bob] = await connected();
    await writeFile(place.path('big.bin'), new Uint8Array(2 ** 28));
    alice.peer.type(`send-file ${bob.peerId} ${place.path('big.bin')}`);
    const parts = () => readdir(place.path('bob-received'));
    await vi.waitFor(async () => expect(await parts()).toEqual([expect.stringMatching(/^\..*\.part$/)]), {
      interval: 5,
    });
    bob.peer.kill('SIGKILL');
    await bob.peer.exited;
    expect(await parts()).toHaveLength(1);
    await start('bob');
    expect(await parts()).toEqual([]);
  });
});

describe('an end', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('by %s is orderly, within five seconds', async (signal) => {
    const [alice, bob] = await connected();
    const started = performance.now();
    alice.peer.kill(signal);
    expect(await alice.peer.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - started).toBeLessThan(5000);
    expect(alice.peer.events.at(-1)).toEqual({ event: 'stopped' });
    await bob.peer.take({ event: 'disconnected', peerId: alice.peerId, reason: 'closed' });
  });
});

describe('the data directory', () => {
  it('holds no secret and no plaintext after a full run, and nobody else can read its secrets', async () => {
    const [alice, bob] = await connected();
    const text = 'a message that must not be stored anywhere';
    bob.peer.type(`send ${alice.peerId} ${text}`);
    await bob.peer.take({ event: 'sent' });
    bob.peer.type(`connect ${alice.address}`);
    await bob.peer.take({ event: 'connected-to' });
    for (const { peer } of [alice, bob]) {
      peer.type('quit');
      expect((await peer.exited).code).toBe(0);
    }
    using keystore = await openKeystore(place.path('bob', 'keystore'));
    await keystore.unlock(passphrase);
    using identity = keystore.identity();
    const words = (await keystore.revealMnemonic(passphrase)).split(' ');
    using key = identity.storageKey();
    const needles: (string | Uint8Array)[] = [passphrase, text, alice.peerId, '127.0.0.1', words.join(' ')];
    needles.push(...words.slice(1).map((word, index) => `${words[index]} ${word}`));
    needles.push(
      identity.handshakeIdentity(0).staticKeyPair.secretKey,
      key.use((bytes) => bytes.slice()),
    );
    const files = await filesBelow(place.path('bob'));
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const content = await readFile(file);
      for (const needle of needles)
        expect(content.includes(typeof needle === 'string' ? needle : Buffer.from(needle)), file).toBe(false);
    }
    for (const file of files) expect((await stat(file)).mode & 0o777, file).toBe(0o600);
    for (const directory of [place.path('bob'), place.path('bob', 'store')]) {
      expect((await stat(directory)).mode & 0o777, directory).toBe(0o700);
    }
  });
});
