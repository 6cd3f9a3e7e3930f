import { appendFile, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openLog } from '../src/log.ts';
import { createMemoryStore } from '../src/memory.ts';
import { asAnotherProcess } from './another-process.ts';
import { useDirectories } from './directories.ts';
import { createFaultyFileSystem, type Fault } from './faulty-file-system.ts';
import { all, newStore, open, segmentsOf, text } from './opened-log.ts';

const newDirectory = useDirectories();

describe('an append-only log', () => {
  it('gives back its entries in their order, by range, after reopening too', async () => {
    const { log, reopen } = await open();
    for (let i = 0; i < 20; i++) expect(await log.append(text(`entry ${i}`), { sync: i % 5 === 0 })).toBe(i);
    const expected = Array.from({ length: 20 }, (_, i) => `${i}:entry ${i}`);
    expect(await all(log)).toEqual(expected);
    expect(await all(log, { from: 3, to: 6 })).toEqual(expected.slice(3, 6));
    expect(await all(log, { from: 18 })).toEqual(expected.slice(18));
    expect(await all(log, { from: 50 })).toEqual([]);
    const again = await reopen();
    expect(again.torn).toBeUndefined();
    expect(await all(again)).toEqual(expected);
    expect(await again.append(text('entry 20'))).toBe(20);
    expect(await all(again, { from: 19 })).toEqual(['19:entry 19', '20:entry 20']);
  });

  it('takes empty entries, large ones and many at once', async () => {
    const { log, reopen } = await open();
    const sizes = [0, 1, 300_000, 0, 1_048_576, 5];
    const sequences = await Promise.all(
      sizes.map((size) => log.append(new Uint8Array(size).fill(size & 0xff))),
    );
    expect(sequences).toEqual([0, 1, 2, 3, 4, 5]);
    await expect(log.append(new Uint8Array(1_048_577))).rejects.toMatchObject({ code: 'ENTRY_TOO_LARGE' });
    await expect(log.append('text' as unknown as Uint8Array)).rejects.toThrow(TypeError);
    const found: number[] = [];
    for await (const { data } of (await reopen()).read()) found.push(data.length);
    expect(found).toEqual(sizes);
  });

  it('rotates, keeps what retention says, and goes on after reopening', async () => {
    const { log, reopen, directory } = await open({ segmentBytes: 1_000, retention: { maxSegments: 3 } });
    for (let i = 0; i < 100; i++) await log.append(text(`entry ${i}`));
    const stats = await log.stats();
    expect(stats.segments).toBe(3);
    expect(stats.next).toBe(100);
    expect(stats.first).toBeGreaterThan(50);
    expect((await readdir(directory)).length).toBe(4);
    const expected = Array.from(
      { length: stats.entries },
      (_, i) => `${stats.first + i}:entry ${stats.first + i}`,
    );
    expect(await all(log)).toEqual(expected);
    expect(await all(await reopen())).toEqual(expected);
  });

  it('keeps to bytes and age, and never removes the segment that is written to', async () => {
    let time = 1_000;
    const { log } = await open({
      segmentBytes: 1_000,
      retention: { maxBytes: 5_000, maxAge: 50 },
      now: () => time,
    });
    for (let i = 0; i < 100; i++) await log.append(text(`entry ${i}`));
    expect((await log.stats()).bytes).toBeLessThanOrEqual(6_500);
    expect((await log.stats()).segments).toBeGreaterThan(2);
    time = 2_000;
    await log.prune();
    expect((await log.stats()).segments).toBe(1);
    expect(await log.append(text('x'))).toBe(100);
  });

  it('is read while it is written, rotated and pruned', async () => {
    const { log } = await open({ segmentBytes: 2_000 });
    for (let i = 0; i < 100; i++) await log.append(text(`entry ${i}`));
    for await (const { sequence } of log.read()) {
      expect(sequence).toBe(0);
      break;
    }
    const [seen] = await Promise.all([
      all(log),
      ...Array.from({ length: 50 }, (_, i) => log.append(text(`later ${i}`))),
      log.rotateKeys(),
      log.verify().then(({ problems }) => expect(problems).toEqual([])),
    ]);
    expect(seen.length).toBe(100);
    expect((await all(log)).length).toBe(150);
  });

  it('shows no plaintext, and is encrypted anew by a rotation of its keys', async () => {
    const { log, directory, reopen } = await open({ segmentBytes: 1_000 });
    for (let i = 0; i < 50; i++) await log.append(text(`plain entry ${i}`));
    const checkpoint = await log.checkpoint();
    const before = await readdir(directory);
    for (const name of before) expect((await readFile(join(directory, name))).includes('plain')).toBe(false);
    expect((await log.rotateKeys()).rewritten).toBeGreaterThan(3);
    const after = await readdir(directory);
    expect(after.filter((name) => before.includes(name))).toEqual(['nzcore-log']);
    expect((await log.verify()).problems).toEqual([]);
    const again = await reopen({ notBefore: checkpoint });
    expect((await all(again)).length).toBe(50);
  });

  it('closes once, refuses everything afterwards, and keeps to signals', async () => {
    const { log } = await open();
    const signal = AbortSignal.abort(new RangeError('enough'));
    await expect(log.append(text('x'), { signal })).rejects.toThrow(RangeError);
    await expect(all(log, { signal })).rejects.toThrow(RangeError);
    await expect(all(log, { from: -1 })).rejects.toThrow(RangeError);
    const writing = log.append(text('x'));
    await Promise.all([log[Symbol.asyncDispose](), log[Symbol.asyncDispose]()]);
    expect(await writing).toBe(0);
    await expect(log.append(text('x'))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(all(log)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('needs an encrypted store and sensible limits', async () => {
    const directory = await newDirectory();
    await expect(openLog(directory, { store: createMemoryStore() })).rejects.toThrow(TypeError);
    const attempt = openLog(directory, { store: await newStore(), segmentBytes: 0 });
    await expect(attempt).rejects.toThrow(RangeError);
  });
});

describe('a log that is opened with a smaller limit', () => {
  it('keeps the larger entries that it has', async () => {
    const { log, reopen } = await open();
    await log.append(new Uint8Array(5_000));
    const again = await reopen({ maxEntryBytes: 100 });
    expect(again.torn).toBeUndefined();
    expect((await again.stats()).entries).toBe(1);
    await expect(again.append(new Uint8Array(101))).rejects.toMatchObject({ code: 'ENTRY_TOO_LARGE' });
  });
});

describe('a log that was tampered with', () => {
  it('is LOG_CORRUPT when an entry was damaged that a later one says was synced; nothing is cut', async () => {
    const { log, segment, crash } = await open();
    const ends: number[] = [];
    for (let i = 0; i < 5; i++) {
      await log.append(text(`entry ${i}`), { sync: true });
      ends.push((await readFile(await segment())).length);
    }
    const whole = await readFile(await segment());
    for (let i = 0; i < 4; i++) {
      for (const offset of [0, 3, 5, 11, 12, 40, 90]) {
        const at = (ends[i - 1] ?? 32) + Math.min(offset, ends[i]! - (ends[i - 1] ?? 32) - 1);
        const changed = Buffer.from(whole);
        changed[at]! ^= 1;
        await writeFile(await segment(), changed);
        await expect(crash()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
        expect((await readFile(await segment())).length).toBe(whole.length);
      }
    }
    await writeFile(await segment(), whole);
    expect((await all(await crash())).length).toBe(5);
  });

  it('is refused when entries are reordered, repeated or taken out', async () => {
    const { log, segment, crash } = await open();
    const ends = [32];
    for (let i = 0; i < 4; i++) {
      await log.append(text(`entry ${i}`), { sync: true });
      ends.push((await readFile(await segment())).length);
    }
    const whole = await readFile(await segment());
    const entry = (i: number) => whole.subarray(ends[i], ends[i + 1]);
    for (const order of [
      [0, 2, 1, 3],
      [0, 1, 1, 2, 3],
      [0, 2, 3],
      [1, 2, 3],
      [3, 2, 1, 0],
    ]) {
      await writeFile(await segment(), Buffer.concat([whole.subarray(0, 32), ...order.map(entry)]));
      await expect(crash()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    }
  });

  it('is refused when it ends before its checkpoint, kept here by closing or elsewhere', async () => {
    const { log, segment, crash, store, directory } = await open();
    await log.append(text('entry 0'));
    const short = await readFile(await segment());
    await log.append(text('entry 1'));
    const copy = await crash();
    const notBefore = await copy.checkpoint();
    await writeFile(await segment(), short);
    await expect(crash({ notBefore })).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
    await expect(crash({ notBefore: { ...notBefore, sequence: 9 } })).rejects.toMatchObject({
      code: 'LOG_ROLLED_BACK',
    });
    const accepted = await crash();
    await accepted.append(text('another past'));
    const fork = crash({ notBefore });
    await expect(fork).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
    await writeFile(await segment(), short);
    await log.checkpoint();
    const fileSystem = asAnotherProcess();
    await expect(openLog(directory, { store, fileSystem })).rejects.toMatchObject({
      code: 'LOG_ROLLED_BACK',
    });
    await writeFile(await segment(), Buffer.concat([short, new Uint8Array(10)]));
    await expect(openLog(directory, { store, fileSystem })).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it('is refused by a checkpoint in the middle of a complete segment', async () => {
    const { log, crash } = await open({ segmentBytes: 1_000 });
    for (let i = 0; i < 5; i++) await log.append(text(`entry ${i}`));
    const notBefore = await log.checkpoint();
    for (let i = 5; i < 50; i++) await log.append(text(`entry ${i}`));
    await crash({ notBefore });
    const other = { ...notBefore, hash: notBefore.hash.with(0, notBefore.hash[0]! ^ 1) };
    await expect(crash({ notBefore: other })).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
  });

  it('is found out in complete segments: flipped, cut, exchanged, gone, replaced by a link', async () => {
    const { log, directory } = await open({ segmentBytes: 1_000 });
    for (let i = 0; i < 50; i++) await log.append(text(`entry ${i}`));
    const names = await segmentsOf(directory);
    const contents = await Promise.all(names.map((name) => readFile(join(directory, name))));
    const check = async (name: string, codes: RegExp) => {
      const { problems } = await log.verify();
      expect(problems.length).toBeGreaterThan(0);
      for (const { code } of problems) expect(code).toMatch(codes);
      await expect(all(log)).rejects.toMatchObject({ code: expect.stringMatching(codes) });
      await rm(join(directory, name));
      await writeFile(join(directory, name), contents[names.indexOf(name)]!);
      expect((await log.verify()).problems).toEqual([]);
    };
    const complete = names.filter((_, i) => contents[i]!.length > 1_000);
    expect(complete.length).toBeGreaterThan(3);
    const name = complete[0]!;
    const content = contents[names.indexOf(name)]!;
    for (const at of [0, 4, 9, 31, 32, 60, 500, content.length - 1]) {
      await writeFile(join(directory, name), Buffer.from(content).fill(content[at]! ^ 1, at, at + 1));
      await check(name, at === 4 ? /UNSUPPORTED_FORMAT/ : /LOG_CORRUPT/);
    }
    for (const length of [0, 31, 32, 100, content.length - 1]) {
      await truncate(join(directory, name), length);
      await check(name, /LOG_CORRUPT|LOG_TRUNCATED/);
    }
    await appendFile(join(directory, name), new Uint8Array(1));
    expect((await log.verify()).problems).toMatchObject([{ code: 'LOG_CORRUPT' }]);
    await writeFile(join(directory, name), contents[names.indexOf(complete[1]!)]!);
    await check(name, /LOG_CORRUPT/);
    await rm(join(directory, name));
    await symlink(join(directory, complete[1]!), join(directory, name));
    await check(name, /LOG_CORRUPT/);
    await rm(join(directory, name));
    await writeFile(join(directory, name), '');
    await check(name, /LOG_TRUNCATED/);
  });

  it('is encrypted anew but for the segments that are damaged, which are reported with their codes', async () => {
    const { log, directory } = await open({ segmentBytes: 1_000 });
    // Two of five segments are damaged once they are complete.
    const paths: string[] = [];
    for (let segment = 0; segment < 5; segment++) {
      const found = (await segmentsOf(directory)).map((name) => join(directory, name));
      paths.push(found.find((path) => !paths.includes(path))!);
      await log.append(text(`entry ${segment}`), { sync: true });
      await log.rotate();
    }
    expect(new Set(paths).size).toBe(5);
    const [, cut, , altered] = paths;
    await truncate(cut!, 40);
    await writeFile(altered!, (await readFile(altered!)).fill(1, 60, 61));
    const problems = [
      { first: 1, code: 'LOG_CORRUPT' },
      { first: 3, code: 'LOG_CORRUPT' },
    ];
    expect(await log.rotateKeys()).toEqual({ rewritten: 3, problems });
    const left = (await segmentsOf(directory)).map((name) => join(directory, name));
    expect(paths.filter((path) => left.includes(path))).toEqual([cut, altered]);
    expect((await log.verify()).problems.map(({ first }) => first)).toEqual([1, 3]);
    for (const first of [0, 2, 4]) {
      expect(await all(log, { from: first, to: first + 1 })).toEqual([`${first}:entry ${first}`]);
    }
  });

  it('is refused when its list of segments has a gap, or nothing at all', async () => {
    const { log, store, crash } = await open({ segmentBytes: 1_000 });
    for (let i = 0; i < 50; i++) await log.append(text(`entry ${i}`));
    const list = store.namespace('segments');
    const keys: Uint8Array[] = [];
    const values: Uint8Array[] = [];
    for await (const [k, v] of list.iterate()) {
      keys.push(k);
      values.push(v);
    }
    for (const i of [1, keys.length - 1]) {
      await list.delete(keys[i]!);
      await expect(crash()).rejects.toMatchObject({ code: 'LOG_TRUNCATED' });
      await list.put(keys[i]!, values[i]!);
    }
    for (const k of keys) await list.delete(k);
    await expect(crash()).rejects.toMatchObject({ code: 'LOG_TRUNCATED' });
    await log.checkpoint();
    await expect(crash()).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
  });

  it('gives one of its codes, or what was written, for random changes', async () => {
    const { log, segment, crash } = await open();
    for (let i = 0; i < 6; i++) await log.append(text(`entry ${i}`), { sync: i % 2 === 0 });
    const whole = await readFile(await segment());
    const change = fc.record({
      at: fc.nat({ max: whole.length - 1 }),
      byte: fc.nat({ max: 255 }),
      cut: fc.nat({ max: whole.length }),
    });
    await fc.assert(
      fc.asyncProperty(change, fc.boolean(), async ({ at, byte, cut }, isCut) => {
        const changed = Buffer.from(isCut ? whole.subarray(0, cut) : whole);
        if (!isCut) changed[at] = byte;
        await writeFile(await segment(), changed);
        const outcome = await crash().then(all, (error: { code: string }) => error.code);
        if (typeof outcome === 'string')
          expect(outcome).toMatch(/^(LOG_CORRUPT|LOG_TRUNCATED|LOG_ROLLED_BACK|UNSUPPORTED_FORMAT)$/);
        else expect(outcome).toEqual(outcome.map((_, i) => `${i}:entry ${i}`));
      }),
      { numRuns: 80 },
    );
  });
});

describe('a log on a failing file system', () => {
  const faults: [string, Fault, string][] = [
    ['ENOSPC in write', { operation: 'write', kind: 'ENOSPC', at: 1 }, 'NO_SPACE'],
    ['EIO in write', { operation: 'write', kind: 'EIO', at: 1 }, 'IO_ERROR'],
    ['EIO in sync', { operation: 'sync', kind: 'EIO', at: 2 }, 'IO_ERROR'],
    ['ENOSPC in sync', { operation: 'sync', kind: 'ENOSPC', at: 2 }, 'NO_SPACE'],
  ];

  it.each(faults)('%s: a clear error, the old entries stay', async (_name, fault, code) => {
    const { log, directory, crash } = await open();
    for (let i = 0; i < 3; i++) await log.append(text(`entry ${i}`), { sync: true });
    const { fileSystem } = createFaultyFileSystem(fault);
    const faulty = await crash({ fileSystem });
    await expect(faulty.append(text('lost'), { sync: true })).rejects.toMatchObject({ code });
    expect((await all(faulty)).slice(0, 3)).toEqual(['0:entry 0', '1:entry 1', '2:entry 2']);
    const next = await faulty
      .append(text('next'), { sync: true })
      .catch((error: { code: string }) => error.code);
    expect(next).toBe(fault.operation === 'sync' ? 'LOG_FAILED' : code);
    await Promise.allSettled([faulty[Symbol.asyncDispose]()]);
    expect((await all(await crash())).slice(0, 3)).toEqual(['0:entry 0', '1:entry 1', '2:entry 2']);
    expect((await readdir(directory)).length).toBe(2);
  });

  it('goes on when there is space again, without a gap', async () => {
    const { log, crash } = await open();
    await log.append(text('entry 0'), { sync: true });
    const fault = { operation: 'write', kind: 'ENOSPC', at: 2 } as const;
    const { fileSystem, calls } = createFaultyFileSystem(fault);
    const faulty = await crash({ fileSystem });
    await faulty.append(text('entry 1'));
    await expect(faulty.append(text('lost'))).rejects.toMatchObject({ code: 'NO_SPACE' });
    calls.set('write', -1_000);
    expect(await faulty.append(text('entry 2'), { sync: true })).toBe(2);
    expect(await all(faulty)).toEqual(['0:entry 0', '1:entry 1', '2:entry 2']);
    expect((await faulty.verify()).problems).toEqual([]);
  });

  it.each(['open', 'write', 'sync', 'syncDirectory'] as const)(
    'a rotation that fails in %s loses nothing',
    async (operation) => {
      const { log, crash, directory } = await open({ segmentBytes: 1_000 });
      for (let i = 0; i < 5; i++) await log.append(text(`entry ${i}`), { sync: true });
      const at = operation === 'open' ? 4 : operation === 'sync' ? 3 : 1;
      const { fileSystem } = createFaultyFileSystem({ operation, kind: 'EIO', at });
      const faulty = await crash({ fileSystem });
      await expect(faulty.rotate()).rejects.toMatchObject({ code: 'IO_ERROR' });
      const again = await crash();
      expect(await all(again)).toEqual(Array.from({ length: 5 }, (_, i) => `${i}:entry ${i}`));
      expect((await readdir(directory)).length).toBe(2);
      await again.rotate();
      expect(await again.append(text('next'))).toBe(5);
    },
  );

  it('completes short writes and reads', async () => {
    for (const operation of ['read', 'write'] as const) {
      const { fileSystem } = createFaultyFileSystem({ operation, kind: 'short', at: 1 });
      const { log, crash } = await open({ fileSystem, segmentBytes: 1_000 });
      for (let i = 0; i < 30; i++) await log.append(text(`entry ${i}`));
      expect((await all(await crash({ fileSystem }))).length).toBe(30);
    }
  });
});
