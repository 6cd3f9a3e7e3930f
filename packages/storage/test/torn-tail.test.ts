import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FileSystem, nodeFileSystem } from '../src/files.ts';
import { createFaultyFileSystem } from './faulty-file-system.ts';
import { all, open, text } from './opened-log.ts';

describe('a torn tail', () => {
  it('is cut at the last valid entry and reported, wherever the write ended', async () => {
    const { log, segment, crash, directory } = await open();
    for (let i = 0; i < 3; i++) await log.append(text(`entry ${i}`), { sync: true });
    const before = await readFile(await segment());
    await log.append(text('the last one'));
    const after = await readFile(await segment());
    for (let length = before.length; length <= after.length; length += 9) {
      await writeFile(await segment(), after.subarray(0, length));
      const again = await crash();
      const isWhole = length === after.length;
      expect((await all(again)).length).toBe(isWhole ? 4 : 3);
      const isClean = isWhole || length === before.length;
      const cut = { sequence: 3, bytes: length - before.length, kind: 'incomplete' };
      expect(again.torn).toEqual(isClean ? undefined : cut);
      expect(await tornFiles(directory)).toEqual([]);
      expect(await again.append(text('goes on'))).toBe(isWhole ? 4 : 3);
      expect((await again.verify()).problems).toEqual([]);
    }
  });

  it('may be zeros, garbage, or an entry that was damaged before its sync', async () => {
    const { log, segment, crash, directory } = await open();
    await log.append(text('entry 0'), { sync: true });
    const before = await readFile(await segment());
    for (const tail of [new Uint8Array(5_000), new Uint8Array(5_000).fill(255), text('garbage')]) {
      await writeFile(await segment(), Buffer.concat([before, tail]));
      const { torn } = await crash();
      const kind = tail.length > 36 ? 'damaged' : 'incomplete';
      expect(torn).toMatchObject({ sequence: 1, bytes: tail.length, kind });
      if (torn?.keptAs === undefined) continue;
      expect(await readFile(join(directory, torn.keptAs))).toEqual(Buffer.from(tail));
    }
    await writeFile(await segment(), before);
    // Neither entry was synced: a power loss may keep the second one and not the first.
    await log.append(text('entry 1'));
    const middle = await readFile(await segment());
    await log.append(text('entry 2'));
    const after = await readFile(await segment());
    after.fill(0, before.length, middle.length);
    await writeFile(await segment(), after);
    const { torn } = await crash();
    expect(torn).toMatchObject({ sequence: 1, bytes: after.length - before.length, kind: 'damaged' });
    expect(await readFile(join(directory, torn!.keptAs!))).toEqual(after.subarray(before.length));
  });

  it('is no tail when the entries had been synced: any flipped bit and any cut is refused, nothing is lost', async () => {
    const { log, segment, crash, directory } = await open();
    await log.append(text('entry 0'), { sync: true });
    const before = await readFile(await segment());
    await Promise.all([1, 2, 3].map((i) => log.append(text(`entry ${i}`), { sync: true })));
    const whole = await readFile(await segment());
    for (let at = before.length; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1 << (at % 8);
      await writeFile(await segment(), changed);
      await expect(crash()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
      expect(await readFile(await segment())).toEqual(changed);
    }
    for (let length = before.length; length < whole.length; length += 7) {
      await writeFile(await segment(), whole.subarray(0, length));
      await expect(crash()).rejects.toMatchObject({
        code: expect.stringMatching(/^LOG_(CORRUPT|ROLLED_BACK)$/),
      });
      expect((await readFile(await segment())).length).toBe(length);
    }
    await writeFile(await segment(), whole);
    expect((await all(await crash())).length).toBe(4);
    expect(await tornFiles(directory)).toEqual([]);
  });

  it('is put aside when a power loss took the mark of the sync and the entry was damaged', async () => {
    const { log, segment, crash, directory, copyOfStore } = await open();
    await log.append(text('entry 0'), { sync: true });
    const before = await readFile(await segment());
    const older = await copyOfStore();
    await log.append(text('entry 1'), { sync: true });
    const changed = await readFile(await segment());
    changed[changed.length - 1]! ^= 1;
    await writeFile(await segment(), changed);
    const again = await crash({}, older);
    expect(again.torn).toMatchObject({ sequence: 1, kind: 'damaged' });
    const kept = join(directory, again.torn!.keptAs!);
    expect(await readFile(kept)).toEqual(changed.subarray(before.length));
    expect((await stat(kept)).mode & 0o777).toBe(0o600);
    // It goes with the segment, whose key is the only one that reads it.
    await again.append(text('more'));
    await again.rotate();
    await again.rotateKeys();
    await again[Symbol.asyncDispose]();
    await writeFile(kept.replace('.torn', '-2.torn'), 'another one');
    await crash({}, older);
    expect(await tornFiles(directory)).toEqual([]);
  });

  it('does not take the place of one that was put aside before it', async () => {
    const { log, segment, crash, directory } = await open();
    await log.append(text('entry 0'), { sync: true });
    const before = await readFile(await segment());
    const tails = [1, 2, 3].map((fill) =>
      Buffer.from([...new Uint8Array(50).fill(255), ...new Uint8Array(99).fill(fill)]),
    );
    const kept: string[] = [];
    for (const tail of tails) {
      await writeFile(await segment(), Buffer.concat([before, tail]));
      const { torn } = await crash();
      kept.push(torn!.keptAs!);
    }
    // An opening that ended before it had cut, or copied everything, is repeated and takes no other name.
    await writeFile(join(directory, kept[2]!), tails[2]!.subarray(0, 70));
    await writeFile(await segment(), Buffer.concat([before, tails[2]!]));
    expect((await crash()).torn?.keptAs).toBe(kept[2]);
    expect(await Promise.all(kept.map((name) => readFile(join(directory, name))))).toEqual(tails);
    expect((await tornFiles(directory)).toSorted()).toEqual(kept.toSorted());
  });

  it('that somebody made of long frames is refused, after at most one look at each byte', async () => {
    const { log, segment, crash } = await open();
    await log.append(text('entry 0'), { sync: true });
    const before = await readFile(await segment());
    // Each claims to be an entry that reaches to the end.
    const tail = Buffer.alloc(2_000_000, 255);
    for (let at = 100; at < 100 + 36 * 500; at += 36) {
      tail.writeUInt32BE(tail.length - at - 36, at);
      tail.writeBigUInt64BE(2n, at + 4);
    }
    await writeFile(await segment(), Buffer.concat([before, tail]));
    let bytes = 0;
    const { open: openFile } = nodeFileSystem;
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      open: async (path, mode) => {
        const file = await openFile(path, mode);
        const read = async (target: Uint8Array, position: number): Promise<number> => {
          const count = await file.read(target, position);
          bytes += count;
          return count;
        };
        return { ...file, read };
      },
    };
    await expect(crash({ fileSystem })).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    expect(bytes).toBeLessThan(4 * tail.length);
    expect((await readFile(await segment())).length).toBe(before.length + tail.length);
  });

  it('that cannot be put aside is not cut', async () => {
    const { log, segment, crash } = await open();
    await log.append(text('entry 0'), { sync: true });
    const whole = Buffer.concat([await readFile(await segment()), new Uint8Array(100)]);
    for (const kind of ['ENOSPC', 'EIO'] as const) {
      await writeFile(await segment(), whole);
      const { fileSystem } = createFaultyFileSystem({ operation: 'write', at: 1, kind });
      await expect(crash({ fileSystem })).rejects.toMatchObject({
        code: kind === 'EIO' ? 'IO_ERROR' : 'NO_SPACE',
      });
      expect(await readFile(await segment())).toEqual(whole);
    }
    expect((await crash()).torn).toMatchObject({ kind: 'damaged', bytes: 100 });
  });
});

async function tornFiles(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.torn'));
}
