import { once } from 'node:events';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loopback, openPlace, type Place } from './real-peer.ts';

const stranger = 'z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH';
// Each test starts processes, and each of those derives a key from a passphrase, which takes a second by design.
vi.setConfig({ testTimeout: 60_000 });

let place: Place;

beforeEach(async () => {
  place = await openPlace();
});
afterEach(() => place[Symbol.asyncDispose]());

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Runs a peer that must end by itself; answers its exit code and the one line that it says. */
async function refusal(args: readonly string[], env?: Readonly<Record<string, string>>) {
  const peer = place.run(args, env);
  const { code } = await peer.exited;
  expect(peer.events.filter(({ event }) => event === 'ready')).toEqual([]);
  expect(peer.otherLines).toEqual([]);
  expect(peer.errors).toMatch(/^nzcore: [^\n]+\n$/);
  return { code, line: peer.errors.trim() };
}

/** A data directory that a peer made and left in good order. */
async function usedDirectory(env?: Readonly<Record<string, string>>): Promise<string> {
  const peer = place.run(['--data-dir', place.path('data'), ...loopback], env);
  await peer.take({ event: 'ready' });
  peer.type('quit');
  expect(await peer.exited).toEqual({ code: 0, signal: null });
  return place.path('data');
}

async function occupiedPort(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as { port: number }).port };
}

describe('a setting that is wrong ends the peer before it writes anything', () => {
  it('an unknown key: file, line and key are named (exit code 10)', async () => {
    const file = place.path('peer.toml');
    await writeFile(file, `dataDir = "${place.path('data')}"\n\n[limits]\nconections = 5\n`);
    const { code, line } = await refusal(['--config', file]);
    expect(code).toBe(10);
    expect(line).toContain(`${file} line 4: unknown setting "limits.conections"`);
    expect(await exists(place.path('data'))).toBe(false);
  });

  it('a value of the wrong type: file, line, key and what was expected are named (exit code 10)', async () => {
    const file = place.path('peer.toml');
    await writeFile(file, `dataDir = "${place.path('data')}"\nlisten = 5\n`);
    const { code, line } = await refusal(['--config', file]);
    expect(code).toBe(10);
    expect(line).toBe(`nzcore: config: ${file} line 2: "listen" must be a list of multiaddr texts, but is 5`);
    expect(await exists(place.path('data'))).toBe(false);
  });

  it('a bootstrap address that does not parse: the form is shown (exit code 21)', async () => {
    const { code, line } = await refusal(['--data-dir', place.path('data'), '--bootstrap', '192.0.2.1:4001']);
    expect(code).toBe(21);
    expect(line).toContain('such as /ip4/192.0.2.1/tcp/4001/p2p/z6Mk…, but is "192.0.2.1:4001"');
    expect(await exists(place.path('data'))).toBe(false);
  });

  it('an option that there is not (exit code 2)', async () => {
    const { code, line } = await refusal(['--data', place.path('data')]);
    expect(code).toBe(2);
    expect(line).toContain('--help lists the options');
  });
});

describe('a place that cannot be used', () => {
  it('a port in use: the data directory is whole and works with another port (exit code 18)', async () => {
    const { server, port } = await occupiedPort();
    const data = ['--data-dir', place.path('data')];
    const { code, line } = await refusal([...data, '--listen', `/ip4/127.0.0.1/tcp/${port}`]);
    server.close();
    expect(code).toBe(18);
    expect(line).toBe(
      `nzcore: cannot listen on /ip4/127.0.0.1/tcp/${port}: the port is in use; stop the program that has it, ` +
        'or choose another with --listen (port 0 takes a free one)',
    );
    const peer = place.run([...data, ...loopback]);
    await peer.take({ event: 'ready' });
  });

  it('an address that this machine does not have (exit code 19)', async () => {
    const { code, line } = await refusal([
      '--data-dir',
      place.path('data'),
      '--listen',
      '/ip4/192.0.2.77/tcp/0',
    ]);
    expect(code).toBe(19);
    expect(line).toContain('this machine does not have that address');
  });

  it('a data directory that another process holds; that one goes on (exit code 11)', async () => {
    const data = ['--data-dir', place.path('data'), ...loopback];
    const first = place.run(data);
    await first.take({ event: 'ready' });
    const { code, line } = await refusal(data);
    expect(code).toBe(11);
    expect(line).toContain(`${place.path('data')} is in use by another process`);
    first.type('address');
    await first.take({ event: 'address' });
  });

  it('a data directory that cannot be made (exit code 12)', async () => {
    await writeFile(place.path('file'), '');
    const { code, line } = await refusal(['--data-dir', place.path('file', 'data'), ...loopback]);
    expect(code).toBe(12);
    expect(line).toContain('a part of the path is a file; choose another one with --data-dir');
    expect(await readFile(place.path('file'), 'utf8')).toBe('');
  });

  it.runIf(process.platform === 'linux').each(['data', 'received'])(
    'a %s directory where the system lets nobody make one does not keep the peer waiting',
    async (which) => {
      const directories = {
        data: place.path('data'),
        received: place.path('received'),
        [which]: '/proc/nope',
      };
      const args = ['--data-dir', directories.data, '--received-dir', directories.received, ...loopback];
      const { code, line } = await refusal(args);
      expect(code).toBe(which === 'data' ? 12 : 22);
      expect(line).toMatch(
        /\/proc\/nope: it cannot be created there; choose another one with --(data|received)-dir$/,
      );
    },
  );

  it.runIf(process.platform === 'linux')(
    'a data directory where nobody may write (exit code 12)',
    async () => {
      const { code, line } = await refusal(['--data-dir', '/sys/nope', ...loopback]);
      expect(code).toBe(12);
      expect(line).toMatch(/(may not write there|read-only); choose another one with --data-dir$/);
    },
  );
});

describe('a data directory that is damaged', () => {
  it('a corrupt store is named, and not touched (exit code 13)', async () => {
    const data = await usedDirectory();
    const current = `${data}/store/CURRENT`;
    await writeFile(current, 'garbage');
    const { code, line } = await refusal(['--data-dir', data, ...loopback]);
    expect(code).toBe(13);
    expect(line).toContain(`the store in ${data} cannot be read`);
    expect(await readFile(current, 'utf8')).toBe('garbage');
  });

  it('a store without its files is not taken for a new one (exit code 13)', async () => {
    const data = await usedDirectory();
    await rm(`${data}/store/CURRENT`);
    expect((await refusal(['--data-dir', data, ...loopback])).code).toBe(13);
  });

  it('a damaged keystore is named, and not replaced (exit code 14)', async () => {
    const data = await usedDirectory();
    const damaged = (await readFile(`${data}/keystore`)).subarray(0, 100);
    await writeFile(`${data}/keystore`, damaged);
    const { code, line } = await refusal(['--data-dir', data, ...loopback]);
    expect(code).toBe(14);
    expect(line).toContain(`the keystore in ${data} cannot be read`);
    expect(await readFile(`${data}/keystore`)).toEqual(damaged);
  });

  it('data without a keystore get no new identity (exit code 14)', async () => {
    const data = await usedDirectory();
    await rm(`${data}/keystore`);
    const { code, line } = await refusal(['--data-dir', data, ...loopback]);
    expect(code).toBe(14);
    expect(line).toContain('restore');
    expect(await exists(`${data}/keystore`)).toBe(false);
  });
});

describe('a passphrase', () => {
  const env = { NZCORE_PASSPHRASE: 'the right one' };

  it('that is wrong (exit code 16), and the right one still opens', async () => {
    const data = await usedDirectory(env);
    const { code, line } = await refusal(['--data-dir', data], { NZCORE_PASSPHRASE: 'a wrong one' });
    expect(code).toBe(16);
    expect(line).toContain('wrong passphrase');
    expect(line).not.toContain('wrong one');
    await usedDirectory(env);
  });

  it('that is nowhere to be found (exit code 15)', async () => {
    const data = await usedDirectory(env);
    const { code, line } = await refusal(['--data-dir', data]);
    expect(code).toBe(15);
    expect(line).toContain('use --passphrase-file, NZCORE_PASSPHRASE or --ask-passphrase');
    expect(await exists(place.path('config', 'newzonecore', 'passphrases'))).toBe(false);
  });

  it('in a file that others can read, or that is not there (exit code 17)', async () => {
    const file = place.path('passphrase');
    const args = ['--data-dir', place.path('data'), ...loopback, '--passphrase-file', file];
    expect(await refusal(args)).toMatchObject({
      code: 17,
      line: expect.stringContaining(`there is none in the file ${file}: check --passphrase-file`),
    });
    await writeFile(file, 'secret\n', { mode: 0o644 });
    const { code, line } = await refusal(args);
    expect(code).toBe(17);
    expect(line).toContain('chmod 600');
    expect(await exists(place.path('data', 'keystore'))).toBe(false);
  });

  it('that nobody gave is generated away from the data, and found again', async () => {
    await mkdir(place.path('config'));
    await usedDirectory();
    await usedDirectory();
    expect(await exists(place.path('config', 'newzonecore', 'passphrases'))).toBe(true);
  });
});

describe('a bootstrap peer', () => {
  it('at whose address somebody else answers (exit code 20)', async () => {
    const other = place.run(['--data-dir', place.path('other'), ...loopback]);
    const ready = await other.take({ event: 'ready' });
    const [address = ''] = ready['addresses'] as string[];
    const wrong = address.replace(/z6Mk.*$/, stranger);
    const peer = place.run(['--data-dir', place.path('data'), ...loopback, '--bootstrap', wrong]);
    expect((await peer.exited).code).toBe(20);
    expect(peer.errors).toMatch(
      /^nzcore: somebody else than [^\n]+check the bootstrap address with its owner\n$/,
    );
    other.type('peers');
    await other.take({ event: 'peers' });
  });

  it('that cannot be reached does not stop the peer: it is dialled again', async () => {
    const { server, port } = await occupiedPort();
    const bootstrap = `/ip4/127.0.0.1/tcp/${port}/p2p/${stranger}`;
    const peer = place.run(['--data-dir', place.path('data'), ...loopback, '--bootstrap', bootstrap]);
    await peer.take({ event: 'ready' });
    await peer.take({ event: 'dial-failed', peerId: stranger });
    await peer.take({ event: 'dial-failed', peerId: stranger });
    server.close();
    peer.kill('SIGTERM');
    expect((await peer.exited).code).toBe(0);
  });
});
