import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectConfig, parseConfig } from '../src/config.ts';
import { loadConfig, variableName } from '../src/host/config.ts';
import { lineOfKey } from '../src/host/config-file.ts';

const peer = 'z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH';

describe('settings', () => {
  it('have defaults for everything', () => {
    expect(parseConfig({})).toEqual({
      bootstrap: [],
      log: { level: 'silent' },
      limits: { connections: 512, messageBytes: 2 ** 20 },
    });
  });

  it('are refused with the key and what was expected', () => {
    const listen = ['nowhere'];
    expect(() => parseConfig({ listen })).toThrow(
      /"listen" must be a multiaddr such as .*, but is "nowhere"/,
    );
    expect(() => parseConfig({ limits: { connections: 0 } })).toThrow(
      /whole number from 1 to 100000, but is 0/,
    );
    expect(() => parseConfig({ log: { level: 'loud' as 'info' } })).toThrow(/one of silent, error/);
  });

  it('tell an address that does not parse from a value that is none', () => {
    const refused = (input: object) => inspectConfig(input) as { problems: object[] };
    expect(refused({ listen: ['x'] }).problems).toMatchObject([{ code: 'ADDRESS_INVALID', key: 'listen' }]);
    expect(refused({ listen: 5 }).problems).toMatchObject([
      { code: 'CONFIG_INVALID', problem: '"listen" must be a list of multiaddr texts, but is 5' },
    ]);
    expect(refused({ bootstrap: [7] }).problems).toMatchObject([
      { code: 'CONFIG_INVALID', problem: '"bootstrap" must be a multiaddr text, but is 7' },
    ]);
    expect(refused({ limits: 5 }).problems).toMatchObject([
      { code: 'CONFIG_INVALID', problem: '"limits" must be a table of settings, but is 5' },
    ]);
  });

  it('need the name of a bootstrap peer, so that nobody else can answer', () => {
    const address = '/ip4/192.0.2.1/tcp/4001';
    expect(() => parseConfig({ bootstrap: [address] })).toThrow(/\/p2p\/z6Mk/);
    expect(parseConfig({ bootstrap: [`${address}/p2p/${peer}`] }).bootstrap).toHaveLength(1);
  });

  it('name the settings that there are', () => {
    expect(() => parseConfig({ lisen: [] } as object)).toThrow(
      'unknown setting "lisen"; the settings are dataDir, listen,',
    );
  });
});

describe('settings from a file, the environment and options', () => {
  let directory: string;
  let file: string;
  const write = (...lines: string[]) => writeFile(file, `${lines.join('\n')}\n`);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nzcore-config-'));
    file = join(directory, 'peer.toml');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('are merged, the later source winning', async () => {
    await write('dataDir = "from-file"', 'listen = ["/ip4/127.0.0.1/tcp/1"]', '[limits]', 'connections = 5');
    const environment = {
      NZCORE_DATA_DIR: 'from-environment',
      NZCORE_LIMITS__MESSAGE_BYTES: '2048',
      HOME: '/x',
    };
    const config = await loadConfig({ file, environment, options: { log: { level: 'info' } } });
    expect(config).toMatchObject({
      dataDir: 'from-environment',
      listen: ['/ip4/127.0.0.1/tcp/1'],
      log: { level: 'info' },
      limits: { connections: 5, messageBytes: 2048 },
    });
  });

  it('read a list from the environment with commas, which replaces the list of the file', async () => {
    await write('listen = ["/ip4/127.0.0.1/tcp/1"]');
    const environment = { NZCORE_LISTEN: '/ip4/127.0.0.1/tcp/2, /ip4/127.0.0.1/tcp/3/ws' };
    const { listen } = await loadConfig({ file, environment });
    expect(listen).toEqual(['/ip4/127.0.0.1/tcp/2', '/ip4/127.0.0.1/tcp/3/ws']);
  });

  it('name file, line and key of an unknown setting', async () => {
    await write('# my peer', 'dataDir = "x"', 'lissten = []');
    await expect(loadConfig({ file })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(
        `config: ${file} line 3: unknown setting "lissten"; the settings are `,
      ),
    });
  });

  it('name file, line and key of a wrong value in a table, and count what else is wrong', async () => {
    await write('dataDir = ""', '', '[limits]', 'connections = "many"');
    const refusal = await loadConfig({ file }).catch((error: Error) => error.message);
    expect(refusal).toBe(
      `config: ${file} line 1: "dataDir" must be the path of a directory, but is "" (and 1 more)`,
    );
    await write('[limits]', 'connections = "many"');
    await expect(loadConfig({ file })).rejects.toThrow(
      `${file} line 2: "limits.connections" must be a whole number`,
    );
  });

  it('name the line of a syntax error', async () => {
    await write('dataDir = "x"', 'listen = [');
    await expect(loadConfig({ file })).rejects.toThrow(new RegExp(`^config: ${file} line \\d`));
  });

  it('name the variable of a wrong value, and refuse one that no setting has', async () => {
    const wrong = { NZCORE_LIMITS__CONNECTIONS: 'many' };
    await expect(loadConfig({ environment: wrong })).rejects.toThrow(
      'environment NZCORE_LIMITS__CONNECTIONS: ',
    );
    const unknown = { NZCORE_LISSTEN: 'x' };
    await expect(loadConfig({ environment: unknown })).rejects.toThrow(
      'environment NZCORE_LISSTEN: unknown setting',
    );
  });

  it('name the option of a wrong value', async () => {
    await expect(loadConfig({ options: { listen: ['x'] } })).rejects.toThrow(
      'config: option listen: "listen" must be',
    );
  });

  it('say that there is no such file', async () => {
    await expect(loadConfig({ file: join(directory, 'none') })).rejects.toThrow(
      /cannot read .*none: there is no such file/,
    );
  });

  it('leave the passphrase out: it is not a setting', async () => {
    const config = await loadConfig({ environment: { NZCORE_PASSPHRASE: 'secret' } });
    expect(JSON.stringify(config)).not.toContain('secret');
  });
});

describe('places of settings', () => {
  it('find keys at the top, in tables, dotted and quoted', () => {
    const text = 'a = 1\n"b" = 2\nlog.level = "x"\n[limits] # bounds\n  connections = 3\n';
    const keys = ['a', 'b', 'log.level', 'limits', 'limits.connections', 'none'];
    expect(keys.map((key) => lineOfKey(text, key))).toEqual([1, 2, 3, 4, 5, undefined]);
  });

  it('spell variables from keys', () => {
    expect(variableName('limits.messageBytes')).toBe('NZCORE_LIMITS__MESSAGE_BYTES');
  });
});
