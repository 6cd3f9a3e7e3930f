import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { attachLog, hostParts, openLog } from '../src/host.ts';
import { createNode, type NodeConfigInput, type PeerNode } from '../src/index.ts';

// Each start derives a key from a passphrase, which takes a second by design.
vi.setConfig({ testTimeout: 60_000 });

let directory: string;
const nodes: PeerNode[] = [];
const passphrase = async (): Promise<string> => 'a passphrase';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nzcore-node-'));
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

function make(
  config: NodeConfigInput = {},
  options: Parameters<typeof hostParts>[0] = { passphrase },
): PeerNode {
  const own = { dataDir: join(directory, 'data'), listen: ['/ip4/127.0.0.1/tcp/0'] };
  const node = createNode({ ...own, ...config }, { parts: hostParts(options) });
  nodes.push(node);
  return node;
}

describe('the parts of a machine', () => {
  it('keep who the node is and whom it knows', async () => {
    const node = make();
    await node.start();
    const { peerId } = node;
    const known = 'z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH';
    await expect(node.connect(`/ip4/127.0.0.1/tcp/9/p2p/${known}`)).rejects.toMatchObject({
      code: 'DIAL_FAILED',
    });
    await node.stop();
    const again = make();
    await again.start();
    expect([again.peerId, again.knownPeers()]).toEqual([peerId, [known]]);
  });

  it('let two nodes of a private network meet, and keep others out', async () => {
    const keyFile = join(directory, 'network-key');
    await writeFile(keyFile, `${'5a'.repeat(32)}\n`, { mode: 0o600 });
    const alice = make({ networkKeyFile: keyFile });
    await alice.start();
    const insider = make({ dataDir: join(directory, 'in'), listen: [], networkKeyFile: keyFile });
    const outsider = make({ dataDir: join(directory, 'out'), listen: [] });
    await Promise.all([insider.start(), outsider.start()]);
    const [address = ''] = alice.addresses;
    await expect(insider.connect(address)).resolves.toBe(alice.peerId);
    await expect(outsider.connect(address)).rejects.toThrow();
    expect(alice.peers().map(({ peerId }) => peerId)).toEqual([insider.peerId]);
  });

  it('refuse a network key that is none, or that others can read', async () => {
    const keyFile = join(directory, 'network-key');
    await writeFile(keyFile, 'not a key', { mode: 0o600 });
    await expect(make({ networkKeyFile: keyFile }).start()).rejects.toThrow(
      'must hold 64 hexadecimal digits',
    );
    await writeFile(join(directory, 'open'), '5a'.repeat(32), { mode: 0o644 });
    const refused = make({ networkKeyFile: join(directory, 'open') }).start();
    await expect(refused).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('take the passphrase that is configured, and need one', async () => {
    await expect(make({}, {}).start()).rejects.toMatchObject({ code: 'PASSPHRASE_REQUIRED' });
    vi.stubEnv('NZCORE_PASSPHRASE', '');
    await expect(make({}, {}).start()).rejects.toThrow('the variable NZCORE_PASSPHRASE is empty');
    vi.stubEnv('NZCORE_PASSPHRASE', 'from the environment');
    const node = make({}, {});
    await node.start();
    await node.stop();
    const file = join(directory, 'passphrase');
    await writeFile(file, 'from the environment\n', { mode: 0o600 });
    await make({ passphraseFile: file }, {}).start();
    const wrong = join(directory, 'wrong');
    await writeFile(wrong, 'another\n', { mode: 0o600 });
    await nodes.at(-1)?.stop();
    await expect(make({ passphraseFile: wrong }, {}).start()).rejects.toMatchObject({
      code: 'WRONG_PASSPHRASE',
    });
  });

  it('make no new identity for old data, and need a directory', async () => {
    const node = make();
    await node.start();
    await node.stop();
    await rm(join(directory, 'data', 'keystore'));
    await expect(make().start()).rejects.toMatchObject({ code: 'KEYSTORE_MISSING' });
    const nowhere = createNode({}, { parts: hostParts({ passphrase }) });
    await expect(nowhere.start()).rejects.toThrow('"dataDir" must be set');
  });
});

describe('the log', () => {
  it('is off unless a level is given', async () => {
    expect(await openLog('silent')).toBeUndefined();
  });

  it('tells what happens, one JSON object a line, and no secret', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = await openLog('info', { write: (line) => lines.push(JSON.parse(line)) });
    const node = make();
    attachLog(node, log!);
    await node.start();
    log?.info(
      { passphrase: 'x', keys: { secretKey: 'x', inner: { seed: 'x' } }, peerId: node.peerId },
      'by mistake',
    );
    await node.stop();
    expect(lines.map(({ msg }) => msg)).toEqual([
      'state',
      'listening',
      'state',
      'by mistake',
      'state',
      'state',
    ]);
    const [mistake] = lines.filter(({ msg }) => msg === 'by mistake');
    const hidden = {
      passphrase: '[redacted]',
      keys: { secretKey: '[redacted]', inner: { seed: '[redacted]' } },
    };
    expect(mistake).toMatchObject(hidden);
  });
});
