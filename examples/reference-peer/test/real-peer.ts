import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChildPeer, spawnPeer } from '../src/child-peer.ts';

/** What users run: `pnpm test` builds it before the tests begin. */
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** A directory of a test, and peers as real processes that live in it. */
export interface Place extends AsyncDisposable {
  readonly directory: string;
  /** A path in the directory. */
  path(...names: string[]): string;
  /** Starts a peer with `--json` and these arguments. Its home is in the directory. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): ChildPeer;
}

export const loopback = ['--listen', '/ip4/127.0.0.1/tcp/0'];

export async function openPlace(): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), 'nzcore-peer-'));
  const peers: ChildPeer[] = [];
  const path = (...names: string[]): string => join(directory, ...names);
  return {
    directory,
    path,
    run: (args, env = {}) => {
      const home = { HOME: path('home'), XDG_CONFIG_HOME: path('config'), XDG_DATA_HOME: path('share') };
      const peer = spawnPeer({
        command: [process.execPath, main, '--json', ...args],
        env: { PATH: process.env['PATH'] ?? '', ...home, ...env },
        cwd: directory,
      });
      peers.push(peer);
      return peer;
    },
    [Symbol.asyncDispose]: async () => {
      for (const peer of peers) await peer[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
