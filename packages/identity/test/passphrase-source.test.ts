import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  createKeystore,
  createPassphraseFile,
  openKeystore,
  type PassphraseSource,
  readKeyFile,
  readPassphrase,
} from '../src/keystore.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const code = (value: string) => expect.objectContaining({ code: value });
const read = async (...sources: PassphraseSource[]) =>
  new TextDecoder().decode(await readPassphrase(sources));

async function secretFile(content: string | Uint8Array, mode = 0o600): Promise<string> {
  const path = join(await temporaryDirectory(), 'passphrase');
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('headless unlock', () => {
  it('opens a keystore with the passphrase of a file', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'peer.keystore');
    const passwordHash = { algorithm: 'scrypt', logN: 14, r: 8, p: 1 } as const;
    (await createKeystore(path, { passphrase: 'Caf\u00e9 secret', passwordHash, now: 1 })).lock();
    using keystore = await openKeystore(path);
    await keystore.unlock(
      await readPassphrase([{ type: 'file', path: await secretFile('Caf\u00e9 secret\n') }]),
    );
    expect(keystore.isLocked).toBe(false);
  });

  it.each([
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret\n\n', 'secret\n'],
    ['se cret \n', 'se cret '],
    ['secret\r', 'secret\r'],
    // Decomposed in the file, composed on the keyboard.
    ['Cafe\u0301', 'Caf\u00e9'],
  ])('takes %j from a file as %j', async (content, expected) => {
    expect(await read({ type: 'file', path: await secretFile(content) })).toBe(expected);
  });

  it('takes bytes that are no text as they are', async () => {
    const key = Uint8Array.of(0xff, 0xfe, 0x00, 0x80);
    expect(await readPassphrase([{ type: 'file', path: await secretFile(key) }])).toEqual(key);
  });

  it('refuses a file that others can read, that is empty, or too long', async () => {
    for (const mode of [0o640, 0o604, 0o660]) {
      await expect(read({ type: 'file', path: await secretFile('secret', mode) })).rejects.toThrow(
        code('INSECURE_FILE'),
      );
    }
    await expect(read({ type: 'file', path: await secretFile('') })).rejects.toThrow(
      code('PASSPHRASE_UNAVAILABLE'),
    );
    await expect(read({ type: 'file', path: await secretFile('\n') })).rejects.toThrow(
      code('PASSPHRASE_UNAVAILABLE'),
    );
    const long = await secretFile('x'.repeat(4097));
    await expect(read({ type: 'file', path: long })).rejects.toThrow(code('PASSPHRASE_UNAVAILABLE'));
    expect(await read({ type: 'file', path: await secretFile('x'.repeat(4096)) })).toHaveLength(4096);
  });

  it('does not read without end from a file that has none', async () => {
    await expect(read({ type: 'file', path: '/dev/zero' })).rejects.toThrow(code('INSECURE_FILE'));
    vi.stubEnv('CREDENTIALS_DIRECTORY', '/dev');
    await expect(read({ type: 'systemd-credential', name: 'zero' })).rejects.toThrow(
      code('PASSPHRASE_UNAVAILABLE'),
    );
  });

  it('takes the environment’s variable once and removes it', async () => {
    vi.stubEnv('NZ_TEST_PASSPHRASE', 'Cafe\u0301');
    expect(await read({ type: 'environment', name: 'NZ_TEST_PASSPHRASE' })).toBe('Caf\u00e9');
    expect(process.env['NZ_TEST_PASSPHRASE']).toBeUndefined();
    await expect(read({ type: 'environment', name: 'NZ_TEST_PASSPHRASE' })).rejects.toThrow(
      code('PASSPHRASE_UNAVAILABLE'),
    );
    vi.stubEnv('NZ_TEST_PASSPHRASE', '');
    await expect(read({ type: 'environment', name: 'NZ_TEST_PASSPHRASE' })).rejects.toThrow(
      code('PASSPHRASE_UNAVAILABLE'),
    );
  });

  it('takes a systemd credential, whatever its group bits say', async () => {
    const directory = join(await temporaryDirectory(), 'credentials');
    await mkdir(directory);
    await writeFile(join(directory, 'peer'), 'secret');
    await chmod(join(directory, 'peer'), 0o440);
    vi.stubEnv('CREDENTIALS_DIRECTORY', directory);
    expect(await read({ type: 'systemd-credential', name: 'peer' })).toBe('secret');
    for (const name of ['../peer', '/etc/passwd', '.', '..', '', 'a/b', 'a\0b']) {
      await expect(read({ type: 'systemd-credential', name })).rejects.toThrow(RangeError);
    }
  });

  it('tries its sources in their order', async () => {
    vi.stubEnv('CREDENTIALS_DIRECTORY', undefined);
    vi.stubEnv('NZ_TEST_PASSPHRASE', 'from the environment');
    const sources: PassphraseSource[] = [
      { type: 'systemd-credential', name: 'peer' },
      { type: 'file', path: join(await temporaryDirectory(), 'missing') },
      { type: 'environment', name: 'NZ_TEST_PASSPHRASE' },
    ];
    expect(await read(...sources)).toBe('from the environment');
    await expect(read(...sources)).rejects.toThrow(code('PASSPHRASE_UNAVAILABLE'));
    await expect(read()).rejects.toThrow(code('PASSPHRASE_UNAVAILABLE'));
  });
});

describe('a key in a file', () => {
  it('is 64 hexadecimal digits, with or without a line end', async () => {
    for (const end of ['', '\n']) {
      const key = await readKeyFile(await secretFile(`${'5A'.repeat(32)}${end}`));
      expect(key).toEqual(new Uint8Array(32).fill(0x5a));
    }
  });

  it('is refused when it is anything else, missing, or readable by others', async () => {
    for (const content of ['', '5a', `${'5a'.repeat(32)}5a`, 'zz'.repeat(32)]) {
      const reading = readKeyFile(await secretFile(content));
      await expect(reading).rejects.toThrow(
        code(content === '' ? 'PASSPHRASE_UNAVAILABLE' : 'INVALID_KEY_FILE'),
      );
    }
    const missing = join(await temporaryDirectory(), 'none');
    await expect(readKeyFile(missing)).rejects.toThrow(`there is no file ${missing}`);
    const open = secretFile('5a'.repeat(32), 0o644);
    await expect(readKeyFile(await open)).rejects.toThrow(code('INSECURE_FILE'));
  });
});

describe('a generated passphrase', () => {
  it('is kept in a file of its owner alone, and read back', async () => {
    const directory = join(await temporaryDirectory(), 'passphrases');
    const path = join(directory, 'one');
    const passphrase = await createPassphraseFile(path);
    expect(new TextDecoder().decode(passphrase)).toMatch(/^[\w-]{43}$/);
    expect(await readPassphrase([{ type: 'file', path }])).toEqual(passphrase);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect(await readdir(directory)).toEqual(['one']);
  });

  it('never replaces a file, and leaves nothing where it cannot be kept', async () => {
    const path = await secretFile('a passphrase that opens a keystore');
    await expect(createPassphraseFile(path)).rejects.toThrow(code('KEYSTORE_EXISTS'));
    expect(await read({ type: 'file', path })).toBe('a passphrase that opens a keystore');
    await expect(createPassphraseFile(join(path, 'below a file'))).rejects.toThrow(code('EEXIST'));
  });

  it.runIf(process.platform === 'linux')('fails where the system lets nobody make a directory', async () => {
    await expect(createPassphraseFile('/proc/nope/passphrase')).rejects.toThrow(code('ENOENT'));
  });
});
