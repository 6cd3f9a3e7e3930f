import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChildPeer, spawnPeer } from './child-peer.ts';
import { formatBytes } from './output.ts';

const FILE_BYTES = 64 * 2 ** 20;
const main = fileURLToPath(new URL('./main.js', import.meta.url));

/** A peer of the demo: its process may be replaced, its name and place stay. */
interface Actor {
  readonly letter: string;
  process: ChildPeer;
  peerId: string;
  address: string;
}

interface Stage {
  readonly directory: string;
  readonly actors: Map<string, Actor>;
}

/** One thing to show. Throws when it does not hold; answers what was checked. */
interface Step {
  readonly title: string;
  readonly run: (stage: Stage) => Promise<string>;
}

function check(holds: boolean, claim: string): void {
  if (!holds) throw new Error(`this does not hold: ${claim}`);
}

function actor(stage: Stage, letter: string): Actor {
  const found = stage.actors.get(letter);
  if (found === undefined) throw new Error(`there is no peer ${letter}`);
  return found;
}

function launch(
  stage: Stage,
  letter: string,
  { listen, bootstrap }: { listen: string; bootstrap: string[] },
): ChildPeer {
  const own = (name: string): string => join(stage.directory, letter, name);
  const args = ['--json', '--data-dir', own('data'), '--received-dir', own('received'), '--listen', listen];
  args.push(...bootstrap.flatMap((address) => ['--bootstrap', address]));
  // A home of its own: nothing of this demo is left in the account, and nothing of the account gets into it.
  const env = { PATH: process.env['PATH'] ?? '', HOME: own('home'), XDG_CONFIG_HOME: own('config') };
  return spawnPeer({ command: [process.execPath, main, ...args], env });
}

async function enter(stage: Stage, letter: string, bootstrap: string[]): Promise<Actor> {
  const child = launch(stage, letter, { listen: '/ip4/127.0.0.1/tcp/0', bootstrap });
  const entered: Actor = { letter, process: child, peerId: '', address: '' };
  stage.actors.set(letter, entered);
  const ready = await child.take({ event: 'ready' }, 30_000);
  entered.peerId = String(ready['peerId']);
  [entered.address = ''] = ready['addresses'] as string[];
  return entered;
}

function pairs(stage: Stage): [Actor, Actor][] {
  const all = [...stage.actors.values()];
  return all.flatMap((from) => all.filter((to) => to !== from).map((to): [Actor, Actor] => [from, to]));
}

/** Sends a text and sees both ends tell the same. Answers the milliseconds until the acknowledgement. */
async function exchange(from: Actor, to: Actor, text: string): Promise<number> {
  from.process.type(`send ${to.peerId} ${text}`);
  const [sent] = await Promise.all([
    from.process.take({ event: 'sent', to: to.peerId }),
    to.process.take({ event: 'message', from: from.peerId, text }),
  ]);
  return Number(sent['milliseconds']);
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

async function knownPeersOf({ process: child }: Actor): Promise<string[]> {
  child.type('peers');
  const { connected, known } = await child.take({ event: 'peers' });
  const names = [...(connected as { peerId: string }[]).map(({ peerId }) => peerId), ...(known as string[])];
  return [...new Set(names)].sort();
}

const steps: readonly Step[] = [
  {
    title: 'three peers start, each with an identity of its own',
    run: async (stage) => {
      const a = await enter(stage, 'A', []);
      const b = await enter(stage, 'B', [a.address]);
      const c = await enter(stage, 'C', [a.address, b.address]);
      check(new Set([a.peerId, b.peerId, c.peerId]).size === 3, 'three different PeerIds');
      return [a, b, c]
        .map(({ letter, peerId, process: { pid } }) => `${letter} ${peerId} (process ${pid})`)
        .join('\n');
    },
  },
  {
    title: 'they authenticate each other',
    run: async (stage) => {
      for (const [from, to] of pairs(stage))
        await from.process.take({ event: 'connected', peerId: to.peerId });
      return 'each of the three is connected to the PeerIds of both others, proved by the handshake';
    },
  },
  {
    title: 'messages go in both directions between all of them',
    run: async (stage) => {
      const times: number[] = [];
      for (const [from, to] of pairs(stage)) {
        times.push(await exchange(from, to, `${from.letter} says hello to ${to.letter}`));
      }
      return `${times.length} messages arrived as sent, from whom they said, and were acknowledged (${Math.max(...times)} ms at most)`;
    },
  },
  {
    title: 'B sends C a file',
    run: async (stage) => {
      const [b, c] = [actor(stage, 'B'), actor(stage, 'C')];
      const path = join(stage.directory, 'random-file.bin');
      await writeFile(path, randomFillSync(new Uint8Array(FILE_BYTES)));
      const expected = await hashOf(path);
      b.process.type(`send-file ${c.peerId} ${path}`);
      const [sent, received] = await Promise.all([
        b.process.take({ event: 'file-sent', to: c.peerId }, 60_000),
        c.process.take({ event: 'file', from: b.peerId }, 60_000),
      ]);
      check(
        sent['sha256'] === expected && received['sha256'] === expected,
        'both peers tell the SHA-256 of the file',
      );
      check(
        (await hashOf(String(received['path']))) === expected,
        'the file on the disk of C has that SHA-256',
      );
      const seconds = Number(sent['milliseconds']) / 1000;
      return `${formatBytes(FILE_BYTES)} in ${seconds.toFixed(2)} s; SHA-256 ${expected.slice(0, 16)}… on the disk of C`;
    },
  },
  {
    title: 'A is killed, and is the same peer when it is back',
    run: async (stage) => {
      const [a, b, c] = [actor(stage, 'A'), actor(stage, 'B'), actor(stage, 'C')];
      for (const other of [b, c]) {
        a.process.type(`connect ${other.address}`);
        await a.process.take({ event: 'connected-to', peerId: other.peerId });
      }
      const before = await knownPeersOf(a);
      a.process.kill('SIGKILL');
      const { signal } = await a.process.exited;
      check(signal === 'SIGKILL', 'A was killed');
      for (const other of [b, c]) await other.process.take({ event: 'disconnected', peerId: a.peerId });
      const listen = a.address.replace(/\/p2p\/.*$/, '');
      a.process = launch(stage, 'A', { listen, bootstrap: [] });
      const ready = await a.process.take({ event: 'ready' }, 30_000);
      check(ready['peerId'] === a.peerId, 'A has the PeerId that it had');
      const after = await knownPeersOf(a);
      check(
        before.length === 2 && before.join() === after.join(),
        `A has the address book that it had (${before.length} and ${after.length} peers)`,
      );
      return `PeerId ${a.peerId} and an address book of ${after.length} peers, as before the SIGKILL`;
    },
  },
  {
    title: 'the others reconnect by themselves',
    run: async (stage) => {
      const [a, b, c] = [actor(stage, 'A'), actor(stage, 'B'), actor(stage, 'C')];
      const started = performance.now();
      for (const other of [b, c]) await other.process.take({ event: 'connected', peerId: a.peerId }, 60_000);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      for (const [from, to] of pairs(stage))
        await exchange(from, to, `${from.letter} is back with ${to.letter}`);
      return `B and C found A again after ${seconds} s, and messages go in all directions`;
    },
  },
  {
    title: 'all of them stop when they are told to',
    run: async (stage) => {
      const times: number[] = [];
      for (const { process: child } of stage.actors.values()) {
        const started = performance.now();
        child.kill('SIGTERM');
        const { code } = await child.exited;
        times.push(performance.now() - started);
        check(code === 0, `exit code 0 after SIGTERM, not ${code}: ${child.errors}`);
        check(child.otherLines.length === 0 && child.errors === '', 'nothing but JSON lines was printed');
      }
      check(Math.max(...times) < 5000, 'each stops within 5 s');
      return `exit code 0 within ${Math.ceil(Math.max(...times))} ms of SIGTERM`;
    },
  },
];

async function run(): Promise<number> {
  const stage: Stage = { directory: await mkdtemp(join(tmpdir(), 'nzcore-demo-')), actors: new Map() };
  try {
    for (const [index, { title, run: perform }] of steps.entries()) {
      process.stdout.write(`${index + 1}. ${title}\n`);
      const checked = await perform(stage);
      process.stdout.write(`${checked.replace(/^/gm, '   ')}\n`);
    }
    process.stdout.write('\nAll steps held.\n');
    return 0;
  } catch (error) {
    process.stdout.write(`   FAILED: ${(error as Error).message}\n`);
    return 1;
  } finally {
    for (const { process: child } of stage.actors.values()) await child[Symbol.asyncDispose]();
    await rm(stage.directory, { recursive: true, force: true });
  }
}

process.exitCode = await run();
