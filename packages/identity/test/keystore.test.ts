import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMnemonic, identityFromMnemonic, identityFromSeed, verify } from '../src/index.ts';
import { writeFileAtomically } from '../src/keystore/atomic-file.ts';
import { decodeKeystoreFile, encodeKeystoreFile } from '../src/keystore/file-format.ts';
import {
  createKeystore,
  DEFAULT_PASSWORD_HASH,
  IdentityError,
  importKeystore,
  openKeystore,
  type PasswordHash,
} from '../src/keystore.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const NOW = 1_800_000_000_000;
const WORDS = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
// The cheapest parameters that are accepted; the default is measured in its own test.
const passwordHash: PasswordHash = { algorithm: 'scrypt', logN: 14, r: 8, p: 1 };
const passphrase = 'correct horse battery staple';
const options = { passphrase, passwordHash, now: NOW };
const code = (value: string) => expect.objectContaining({ code: value });

async function keystorePath(): Promise<string> {
  return join(await temporaryDirectory(), 'keys', 'peer.keystore');
}

describe('keystore', () => {
  it('gives the peer of its words back after a restart', async () => {
    const path = await keystorePath();
    using created = await createKeystore(path, { ...options, mnemonic: WORDS, mnemonicPassphrase: 'TREZOR' });
    using expected = await identityFromMnemonic(WORDS, { passphrase: 'TREZOR' });
    using fresh = created.identity();
    expect(fresh.peerId).toBe(expected.peerId);
    created.lock();
    using opened = await openKeystore(path);
    expect(opened.isLocked).toBe(true);
    await opened.unlock(passphrase);
    expect(opened.isLocked).toBe(false);
    using identity = opened.identity();
    expect(identity.peerId).toBe(expected.peerId);
    const signature = identity.sign('app/v1', Uint8Array.of(1));
    expect(verify('app/v1', Uint8Array.of(1), { signature, peerId: expected.peerId })).toBe(true);
  });

  it('makes fresh words unless it is given some, or keeps a bare seed', async () => {
    const directory = await temporaryDirectory();
    using first = await createKeystore(join(directory, 'a'), options);
    using second = await createKeystore(join(directory, 'b'), { ...options, words: 12 });
    expect((await first.revealMnemonic(passphrase)).split(' ')).toHaveLength(24);
    expect((await second.revealMnemonic(passphrase)).split(' ')).toHaveLength(12);
    const seed = new Uint8Array(32).fill(9);
    using bare = await createKeystore(join(directory, 'c'), { ...options, seed });
    using expected = identityFromSeed(seed);
    using identity = bare.identity();
    expect(identity.peerId).toBe(expected.peerId);
    expect(seed).toEqual(new Uint8Array(32).fill(9));
    await expect(bare.revealMnemonic(passphrase)).rejects.toThrow(code('NO_MNEMONIC'));
    await expect(createKeystore(join(directory, 'd'), { ...options, seed, mnemonic: WORDS })).rejects.toThrow(
      TypeError,
    );
  });

  it('is a file of mode 0600 in a directory of mode 0700', async () => {
    const path = await keystorePath();
    using keystore = await createKeystore(path, options);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o700);
    await keystore.profiles.create('work', { now: NOW });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(path, '..'))).toEqual(['peer.keystore']);
  });

  it('never replaces a keystore that exists', async () => {
    const path = await keystorePath();
    using keystore = await createKeystore(path, options);
    const before = await readFile(path);
    await expect(createKeystore(path, options)).rejects.toThrow(code('KEYSTORE_EXISTS'));
    const exported = await keystore.exportEncrypted('other', { passwordHash });
    await expect(importKeystore(path, exported, { passphrase: 'other' })).rejects.toThrow(
      code('KEYSTORE_EXISTS'),
    );
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(join(path, '..'))).toEqual(['peer.keystore']);
  });

  it('gives nothing while it is locked', async () => {
    const path = await keystorePath();
    using keystore = await createKeystore(path, options);
    using kept = keystore.identity();
    keystore.lock();
    keystore.lock();
    expect(() => keystore.identity()).toThrow(code('KEYSTORE_LOCKED'));
    expect(() => keystore.profiles.list()).toThrow(code('KEYSTORE_LOCKED'));
    await expect(keystore.profiles.create('work', { now: NOW })).rejects.toThrow(code('KEYSTORE_LOCKED'));
    await expect(keystore.exportEncrypted('x', { passwordHash })).rejects.toThrow(code('KEYSTORE_LOCKED'));
    // What was given out belongs to its holder.
    expect(kept.sign('app/v1', Uint8Array.of(1))).toHaveLength(64);
  });

  it('refuses a wrong passphrase, and takes the right one afterwards', async () => {
    const path = await keystorePath();
    (await createKeystore(path, options)).lock();
    using keystore = await openKeystore(path);
    await expect(keystore.unlock('wrong')).rejects.toThrow(code('WRONG_PASSPHRASE'));
    await expect(keystore.revealMnemonic('wrong')).rejects.toThrow(code('WRONG_PASSPHRASE'));
    await expect(keystore.unlock('')).rejects.toThrow(RangeError);
    expect(keystore.isLocked).toBe(true);
    await keystore.unlock(passphrase);
    await expect(keystore.unlock('wrong')).rejects.toThrow(code('WRONG_PASSPHRASE'));
    expect(keystore.isLocked).toBe(false);
  });

  it('takes one passphrase from two ways of typing it, and bytes as they are', async () => {
    const path = await keystorePath();
    (await createKeystore(path, { ...options, passphrase: 'Caf\u00e9' })).lock();
    using keystore = await openKeystore(path);
    await keystore.unlock('Cafe\u0301');
    keystore.lock();
    await keystore.unlock(new TextEncoder().encode('Caf\u00e9'));
  });

  it('changes the passphrase by wrapping the data key again: the sealed contents stay the same bytes', async () => {
    const path = await keystorePath();
    using keystore = await createKeystore(path, { ...options, mnemonic: WORDS });
    const before = decodeKeystoreFile(await readFile(path));
    await expect(keystore.changePassphrase('wrong', 'next', { passwordHash })).rejects.toThrow(
      code('WRONG_PASSPHRASE'),
    );
    await keystore.changePassphrase(passphrase, 'next', {
      passwordHash: { algorithm: 'scrypt', logN: 15, r: 8, p: 1 },
    });
    const after = decodeKeystoreFile(await readFile(path));
    expect(after.sealedPayload).toEqual(before.sealedPayload);
    expect(after.payloadSalt).toEqual(before.payloadSalt);
    expect(after.wrappedKey).not.toEqual(before.wrappedKey);
    expect(after.passwordSalt).not.toEqual(before.passwordSalt);
    expect(after.passwordHash).toEqual({ algorithm: 'scrypt', logN: 15, r: 8, p: 1 });
    using opened = await openKeystore(path);
    await expect(opened.unlock(passphrase)).rejects.toThrow(code('WRONG_PASSPHRASE'));
    await opened.unlock('next');
    expect(await opened.revealMnemonic('next')).toBe(WORDS);
  });

  it('stays locked when it is locked, or disposed, while it is being unlocked', async () => {
    const path = await keystorePath();
    (await createKeystore(path, options)).lock();
    const keystore = await openKeystore(path);
    const unlocking = keystore.unlock(passphrase);
    keystore[Symbol.dispose]();
    await expect(unlocking).rejects.toThrow(code('KEYSTORE_LOCKED'));
    expect(keystore.isLocked).toBe(true);
    await keystore.unlock(passphrase);
    expect(keystore.isLocked).toBe(false);
    keystore.lock();
  });

  it('changes the passphrase of a locked keystore too', async () => {
    const path = await keystorePath();
    (await createKeystore(path, options)).lock();
    using keystore = await openKeystore(path);
    await keystore.changePassphrase(passphrase, 'next', { passwordHash });
    expect(keystore.isLocked).toBe(true);
    await keystore.unlock('next');
  });

  it('works with Argon2id', async () => {
    const path = await keystorePath();
    const argon2id: PasswordHash = { algorithm: 'argon2id', memoryKiB: 8192, iterations: 1 };
    (await createKeystore(path, { ...options, passwordHash: argon2id })).lock();
    expect(decodeKeystoreFile(await readFile(path)).passwordHash).toEqual(argon2id);
    using keystore = await openKeystore(path);
    await expect(keystore.unlock('wrong')).rejects.toThrow(code('WRONG_PASSPHRASE'));
    await keystore.unlock(passphrase);
  });

  it('exports itself under another passphrase and another data key, with all profiles', async () => {
    const path = await keystorePath();
    using keystore = await createKeystore(path, { ...options, mnemonic: WORDS });
    await keystore.profiles.create('work', { now: NOW });
    const exported = await keystore.exportEncrypted('for the other machine', { passwordHash });
    expect(decodeKeystoreFile(exported).sealedPayload).not.toEqual(
      decodeKeystoreFile(await readFile(path)).sealedPayload,
    );
    const target = await keystorePath();
    await expect(importKeystore(target, exported, { passphrase })).rejects.toThrow(code('WRONG_PASSPHRASE'));
    using imported = await importKeystore(target, exported, { passphrase: 'for the other machine' });
    expect(imported.profiles.list()).toEqual(keystore.profiles.list());
    expect((await stat(target)).mode & 0o777).toBe(0o600);
    expect(await imported.revealMnemonic('for the other machine')).toBe(WORDS);
  });

  it('reveals the words for the passphrase only, also while unlocked', async () => {
    const path = await keystorePath();
    using keystore = await createKeystore(path, { ...options, mnemonic: WORDS });
    await expect(keystore.revealMnemonic('wrong')).rejects.toThrow(code('WRONG_PASSPHRASE'));
    expect(await keystore.revealMnemonic(passphrase)).toBe(WORDS);
    keystore.lock();
    expect(await keystore.revealMnemonic(passphrase)).toBe(WORDS);
    expect(keystore.isLocked).toBe(true);
  });

  it('says so when there is no file, when others can read it, and when it is too long', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'peer.keystore');
    await expect(openKeystore(path)).rejects.toThrow(code('KEYSTORE_MISSING'));
    (await createKeystore(path, options)).lock();
    await chmod(path, 0o640);
    await expect(openKeystore(path)).rejects.toThrow(code('INSECURE_FILE'));
    await writeFile(path, new Uint8Array(70_000));
    await chmod(path, 0o600);
    await expect(openKeystore(path)).rejects.toThrow(code('INVALID_KEYSTORE'));
  });

  it('does not overwrite what another process wrote meanwhile', async () => {
    const path = await keystorePath();
    using keystore = await createKeystore(path, options);
    using other = await openKeystore(path);
    await other.unlock(passphrase);
    await other.profiles.create('work', { now: NOW });
    await expect(keystore.profiles.create('home', { now: NOW })).rejects.toThrow(code('KEYSTORE_CHANGED'));
    await expect(keystore.changePassphrase(passphrase, 'x', { passwordHash })).rejects.toThrow(
      code('KEYSTORE_CHANGED'),
    );
    using again = await openKeystore(path);
    await again.unlock(passphrase);
    expect(again.profiles.list().map(({ name }) => name)).toEqual(['default', 'work']);
  });

  it('takes one of two changes that are made at once, so that no profile index is given twice', async () => {
    const path = await keystorePath();
    (await createKeystore(path, options)).lock();
    for (let round = 0; round < 2; round++) {
      using one = await openKeystore(path);
      using other = await openKeystore(path);
      await Promise.all([one.unlock(passphrase), other.unlock(passphrase)]);
      const results = await Promise.allSettled([
        one.profiles.create(`one ${round}`, { now: NOW }),
        other.profiles.create(`other ${round}`, { now: NOW }),
      ]);
      const refused = results.filter((result) => result.status === 'rejected');
      expect(refused.map(({ reason }) => (reason as IdentityError).code)).toEqual(['KEYSTORE_CHANGED']);
    }
    expect(await readdir(join(path, '..'))).toEqual(['peer.keystore']);
  });

  it('is replaced where it is: a link to it stays one, and no old passphrase opens its target', async () => {
    const target = await keystorePath();
    (await createKeystore(target, options)).lock();
    const path = join(await temporaryDirectory(), 'link');
    await symlink(target, path);
    using keystore = await openKeystore(path);
    await keystore.changePassphrase(passphrase, 'next', { passwordHash });
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    using opened = await openKeystore(target);
    await expect(opened.unlock(passphrase)).rejects.toThrow(code('WRONG_PASSPHRASE'));
    await opened.unlock('next');
    await rm(join(target, '..'), { recursive: true });
    await expect(opened.profiles.create('work', { now: NOW })).rejects.toThrow(code('KEYSTORE_CHANGED'));
  });

  it('waits for another writer, but not for one that a crash ended', async () => {
    const path = await keystorePath();
    const lock = join(path, '..', '.peer.keystore.lock');
    using keystore = await createKeystore(path, options);
    const before = await readFile(path);
    await writeFile(lock, '');
    const waiting = keystore.profiles.create('work', { now: NOW });
    expect(await readFile(path)).toEqual(before);
    await rm(lock);
    expect((await waiting).index).toBe(1);
    await writeFile(lock, '');
    await utimes(lock, 1, 1);
    expect((await keystore.profiles.create('play', { now: NOW })).index).toBe(2);
    expect(await readdir(join(path, '..'))).toEqual(['peer.keystore']);
  });

  it('keeps the old file when the new one cannot be written', async () => {
    // 250 characters are a valid name, but leave no room for the name of the temporary file.
    const directory = await temporaryDirectory();
    const path = join(directory, 'k'.repeat(250));
    const source = await keystorePath();
    (await createKeystore(source, options)).lock();
    await copyFile(source, path);
    using keystore = await openKeystore(path);
    await keystore.unlock(passphrase);
    await expect(keystore.profiles.create('work', { now: NOW })).rejects.toThrow(code('ENAMETOOLONG'));
    expect(await readFile(path)).toEqual(await readFile(source));
    expect(keystore.profiles.list()).toHaveLength(1);
    expect(await readdir(directory)).toEqual(['k'.repeat(250)]);
  });

  it('leaves no temporary file behind when the last step fails', async () => {
    const directory = await temporaryDirectory();
    const taken = join(directory, 'taken');
    await mkdir(join(taken, 'by a directory'), { recursive: true });
    await expect(writeFileAtomically(taken, Uint8Array.of(1), { exclusive: false })).rejects.toThrow();
    await expect(writeFileAtomically(taken, Uint8Array.of(1), { exclusive: true })).rejects.toThrow(
      code('KEYSTORE_EXISTS'),
    );
    expect(await readdir(directory)).toEqual(['taken']);
  });

  it('gives up when the signal says so', async () => {
    const path = await keystorePath();
    using keystore = await createKeystore(path, options);
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(keystore.unlock(passphrase, { signal })).rejects.toThrow('stop');
    await expect(createKeystore(await keystorePath(), { ...options, signal })).rejects.toThrow('stop');
  });

  it('shows no secret when it is printed', async () => {
    const path = await keystorePath();
    using keystore = await createKeystore(path, { ...options, mnemonic: WORDS });
    const printed = inspect(keystore, { depth: 9, showHidden: true }) + JSON.stringify(keystore);
    for (const word of new Set(WORDS.split(' '))) expect(printed).not.toContain(word);
    expect(printed).not.toContain(passphrase);
  });

  it('takes a passphrase hash within its bounds only', async () => {
    const path = await keystorePath();
    const refused: PasswordHash[] = [
      { algorithm: 'scrypt', logN: 13, r: 8, p: 1 },
      { algorithm: 'scrypt', logN: 20, r: 8, p: 1 },
      { algorithm: 'scrypt', logN: 14, r: 1, p: 1 },
      { algorithm: 'scrypt', logN: 14.5, r: 8, p: 1 },
      { algorithm: 'scrypt', logN: 18, r: 8, p: 8 },
      { algorithm: 'argon2id', memoryKiB: 4096, iterations: 3 },
      { algorithm: 'argon2id', memoryKiB: 1_048_576, iterations: 1 },
      { algorithm: 'argon2id', memoryKiB: 524_288, iterations: 9 },
    ];
    for (const hash of refused) {
      await expect(createKeystore(path, { ...options, passwordHash: hash })).rejects.toThrow(RangeError);
    }
  });

  it('unlocks in 100 to 1000 ms with the default parameters, by design', async () => {
    expect(DEFAULT_PASSWORD_HASH).toEqual({ algorithm: 'scrypt', logN: 17, r: 8, p: 1 });
    const path = await keystorePath();
    (await createKeystore(path, { passphrase, now: NOW })).lock();
    using keystore = await openKeystore(path);
    const runs: { wall: number; processor: number }[] = [];
    for (let run = 0; run < 3; run++) {
      const [start, cpu] = [performance.now(), process.cpuUsage()];
      await keystore.unlock(passphrase);
      const { user, system } = process.cpuUsage(cpu);
      runs.push({ wall: performance.now() - start, processor: (user + system) / 1000 });
    }
    expect(Math.min(...runs.map(({ wall }) => wall))).toBeGreaterThan(100);
    // Processor time of the best run: the wall clock of a busy machine says nothing about the upper bound.
    expect(Math.min(...runs.map(({ processor }) => processor))).toBeLessThan(1000);
  });
});

describe('a hostile keystore file', () => {
  it('cannot ask for more than half a gibibyte or minutes of work', async () => {
    const path = await keystorePath();
    (await createKeystore(path, options)).lock();
    const good = await readFile(path);
    const start = performance.now();
    // [algorithm, a, b, c]: the scrypt ones would need from 1 GiB to 64 GiB and far more, or hours.
    const hostile: [number, number, number, number][] = [
      [1, 20, 8, 1],
      [1, 26, 8, 1],
      [1, 255, 8, 1],
      [1, 0xffff_ffff, 8, 1],
      [1, 17, 0xffff_ffff, 1],
      [1, 17, 8, 0xffff_ffff],
      [1, 14, 8, 1024],
      [1, 0, 8, 1],
      [1, 14, 0, 1],
      [1, 14, 8, 0],
      [2, 64 * 1024 * 1024, 1, 1],
      [2, 0xffff_ffff, 1, 1],
      [2, 8192, 0xffff_ffff, 1],
      [2, 8192, 0, 1],
      [2, 0, 1, 1],
      [2, 8192, 1, 2],
      [0, 14, 8, 1],
      [3, 14, 8, 1],
    ];
    for (const [algorithm, a, b, c] of hostile) {
      const bytes = Buffer.from(good);
      bytes.writeUInt8(algorithm, 9);
      bytes.writeUInt32BE(a, 10);
      bytes.writeUInt32BE(b, 14);
      bytes.writeUInt32BE(c, 18);
      await writeFile(path, bytes);
      await expect(openKeystore(path), `${algorithm} ${a} ${b} ${c}`).rejects.toThrow(
        code('INVALID_KEYSTORE'),
      );
    }
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('is refused when any bit of it was flipped, with one of two codes', async () => {
    const path = await keystorePath();
    (await createKeystore(path, options)).lock();
    const good = await readFile(path);
    // Every byte of the header and of the wrapped key, and a sample of the payload.
    const offsets = [...Array(122).keys(), 122, 150, good.length - 17, good.length - 1];
    const sample = offsets.filter((offset) => offset < 10 || offset % 7 === 0 || offset >= 118);
    for (const offset of sample) {
      const bytes = Buffer.from(good);
      bytes[offset]! ^= 1 << (offset % 8);
      await writeFile(path, bytes);
      await expect(unlock(path), `offset ${offset}`).rejects.toThrow(IdentityError);
      const error = await unlock(path).catch((reason: unknown) => reason);
      expect(['INVALID_KEYSTORE', 'WRONG_PASSPHRASE']).toContain((error as IdentityError).code);
    }
  });

  it('throws INVALID_KEYSTORE and nothing else for any bytes', async () => {
    const path = await keystorePath();
    (await createKeystore(path, options)).lock();
    const good = Uint8Array.from(await readFile(path));
    const mutated = fc
      .tuple(
        fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), { maxLength: 4 }),
        fc.nat({ max: 40 }),
      )
      .map(([edits, cut]) => {
        const bytes = good.slice(0, good.length - cut);
        for (const [offset, value] of edits) if (offset < bytes.length) bytes[offset] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
        try {
          // What is read is also what would be written: there is one encoding.
          expect(encodeKeystoreFile(decodeKeystoreFile(bytes))).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError);
          expect((error as IdentityError).code).toBe('INVALID_KEYSTORE');
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('words in a keystore', () => {
  it('are refused when they are not valid, before anything is written', async () => {
    const path = await keystorePath();
    await expect(createKeystore(path, { ...options, mnemonic: 'not words' })).rejects.toThrow(
      code('INVALID_MNEMONIC'),
    );
    await expect(
      createKeystore(path, { ...options, mnemonic: createMnemonic(), profile: 'a\nb' }),
    ).rejects.toThrow(RangeError);
    await expect(openKeystore(path)).rejects.toThrow(code('KEYSTORE_MISSING'));
  });
});

async function unlock(path: string): Promise<void> {
  using keystore = await openKeystore(path);
  await keystore.unlock(passphrase);
}
