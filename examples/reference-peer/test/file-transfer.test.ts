import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeCanonical } from '@nzcore/crypto/msgpack';
import type { Stream } from '@nzcore/transport';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { giveFreeName, safeFileName } from '../src/file-name.ts';
import { receiveFile, sendFile } from '../src/file-transfer.ts';
import { createIncomingSlots } from '../src/incoming-slots.ts';
import { createReceivedFiles, type ReceivedFilesOptions } from '../src/received-files.ts';
import { createStreamReader } from '../src/stream-reader.ts';

/** Two ends of a stream in memory: what one writes the other reads, in the sizes in which it was written. */
function streamPair(): [Stream, Stream] {
  const ends = [new End(), new End()] as const;
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return ends as unknown as [Stream, Stream];
}

class End {
  other: End | undefined;
  readonly connection = { remotePeer: 'peer' };
  readonly #chunks: Uint8Array[] = [];
  #isEnded = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  write(data: Uint8Array): boolean {
    if (this.#failure !== undefined) return false;
    this.other?.push(data.slice());
    return false;
  }

  async drained({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async closeWrite(): Promise<void> {
    this.other?.end();
  }

  reset(): void {
    this.fail(new Error('reset'));
    this.other?.fail(new Error('reset'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeWrite();
  }

  push(data: Uint8Array): void {
    this.#chunks.push(data);
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.#failure !== undefined) throw this.#failure;
      else if (this.#isEnded) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

function header(...fields: [string, number]): Uint8Array {
  const body = encodeCanonical(fields);
  return Uint8Array.of(0, 0, 0, body.length, ...body);
}

let directory: string;
let receivedDir: string;
let limits: ReceivedFilesOptions;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nzcore-files-'));
  receivedDir = join(directory, 'received');
  limits = { maxBytes: 2 ** 20, maxTotalBytes: 2 ** 21 };
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function fileOf(bytes: Uint8Array, name = 'file.bin'): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
}

function receive(stream: Stream, options: { readonly idleTimeout?: number } = {}) {
  return receiveFile(stream, { files: createReceivedFiles(receivedDir, limits), ...options });
}

async function transfer(path: string): Promise<PromiseSettledResult<unknown>[]> {
  const [here, there] = streamPair();
  return Promise.allSettled([sendFile(path, async () => here), receive(there)]);
}

describe('file transfer', () => {
  it.each([0, 1, 70_000, 2 ** 20])(
    'brings %i bytes to the other disk, and both tell their hash',
    async (size) => {
      const bytes = randomBytes(size);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const [sent, received] = await transfer(await fileOf(bytes));
      const path = join(receivedDir, 'file.bin');
      expect(sent).toMatchObject({ status: 'fulfilled', value: { name: 'file.bin', bytes: size, sha256 } });
      expect(received).toMatchObject({ status: 'fulfilled', value: { path, bytes: size, sha256 } });
      expect((await readFile(path)).equals(bytes)).toBe(true);
    },
  );

  it('never replaces a file', async () => {
    const path = await fileOf(randomBytes(10));
    await transfer(path);
    await transfer(path);
    expect((await readdir(receivedDir)).sort()).toEqual(['file (2).bin', 'file.bin']);
  });

  it('refuses what is too large before anything is written, and the sender hears why', async () => {
    limits = { ...limits, maxBytes: 100 };
    const [sent, received] = await transfer(await fileOf(randomBytes(2 ** 20)));
    expect(sent).toMatchObject({ status: 'rejected', reason: { code: 'too-large' } });
    expect(received).toMatchObject({ status: 'rejected', reason: { code: 'too-large' } });
    expect(await readdir(receivedDir).catch(() => [])).toEqual([]);
  });

  it('refuses what would fill the directory beyond its bound', async () => {
    const path = await fileOf(randomBytes(2 ** 20));
    await transfer(path);
    await transfer(path);
    const [sent] = await transfer(path);
    expect(sent).toMatchObject({ status: 'rejected', reason: { code: 'no-space' } });
    expect(await readdir(receivedDir)).toHaveLength(2);
  });

  it('refuses more files than the directory may hold, however small', async () => {
    limits = { ...limits, maxFiles: 1 };
    const path = await fileOf(new Uint8Array(0));
    await transfer(path);
    const [sent] = await transfer(path);
    expect(sent).toMatchObject({ status: 'rejected', reason: { code: 'no-space' } });
    expect(await readdir(receivedDir)).toEqual(['file.bin']);
  });

  it('refuses bytes that do not have their hash, and leaves nothing', async () => {
    const [here, there] = streamPair();
    const receiving = receive(there);
    for (const part of [header('a', 3), Uint8Array.of(1, 2, 3), new Uint8Array(32)]) here.write(part);
    await expect(receiving).rejects.toMatchObject({ code: 'damaged' });
    expect(await readdir(receivedDir)).toEqual([]);
  });

  it('leaves nothing of a sender that disappears', async () => {
    const [here, there] = streamPair();
    const receiving = receive(there);
    for (const part of [header('a', 300), new Uint8Array(100)]) here.write(part);
    here.reset();
    await expect(receiving).rejects.toThrow('reset');
    expect(await readdir(receivedDir)).toEqual([]);
  });

  it('gives up a sender that is silent', async () => {
    const [here, there] = streamPair();
    const receiving = receive(there, { idleTimeout: 20 });
    here.write(header('a', 300));
    await expect(receiving).rejects.toThrow('reset');
    expect(await readdir(receivedDir)).toEqual([]);
  });

  it('gives up a sender that brings its file byte by byte', async () => {
    const [here, there] = streamPair();
    const receiving = receive(there, { idleTimeout: 200 });
    here.write(header('a', 1_000_000));
    const dribble = setInterval(() => here.write(new Uint8Array(1)), 10);
    try {
      await expect(receiving).rejects.toThrow('reset');
    } finally {
      clearInterval(dribble);
    }
    expect(await readdir(receivedDir)).toEqual([]);
  });

  it.each([
    ['no length', Uint8Array.of(255, 255, 255, 255)],
    ['no MessagePack', Uint8Array.of(0, 0, 0, 1, 0xc1)],
    ['no array', Uint8Array.of(0, 0, 0, 1, 0x01)],
    ['a negative size', header('a', -1)],
  ])('refuses a header with %s', async (_name, bytes) => {
    const [here, there] = streamPair();
    const receiving = receive(there);
    here.write(bytes);
    await expect(receiving).rejects.toMatchObject({ code: 'malformed' });
  });

  it('tells a sender that its path is no file', async () => {
    await expect(sendFile(directory, async () => streamPair()[0])).rejects.toThrow('is not a file');
    const none = join(directory, 'none');
    await expect(sendFile(none, async () => streamPair()[0])).rejects.toThrow(
      `cannot read ${none}: there is no such file`,
    );
  });
});

describe('the directory of received files', () => {
  const readerOf = (size: number) => {
    const bytes = new Uint8Array(size);
    const hash = createHash('sha256').update(bytes).digest();
    return createStreamReader(
      (async function* () {
        yield bytes;
        yield hash;
      })(),
    );
  };

  it('gives the same room to one of two files that come at the same time', async () => {
    const files = createReceivedFiles(receivedDir, { maxBytes: 1000, maxTotalBytes: 1500 });
    const store = (name: string) => files.store({ name, size: 1000 }, readerOf(1000), () => undefined);
    const [first, second] = await Promise.allSettled([store('a'), store('b')]);
    expect(first).toMatchObject({ status: 'fulfilled', value: { name: 'a' } });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'no-space' } });
    expect(await readdir(receivedDir)).toEqual(['a']);
  });

  it('loses what a killed run of the same peer left, and nothing else', async () => {
    await mkdir(receivedDir);
    for (const name of ['.me-1.part', '.other-1.part', 'song.part', '.me-notes']) {
      await writeFile(join(receivedDir, name), '');
    }
    const files = createReceivedFiles(receivedDir, { ...limits, owner: 'me' });
    const [here, there] = streamPair();
    const receiving = receiveFile(there, { files });
    here.write(header('a', 300));
    await vi.waitFor(async () => expect(await readdir(receivedDir)).toHaveLength(5));
    await files.prepare();
    expect(await readdir(receivedDir)).toHaveLength(4); // The transfer that goes on keeps its file.
    here.reset();
    await expect(receiving).rejects.toThrow('reset');
    expect((await readdir(receivedDir)).sort()).toEqual(['.me-notes', '.other-1.part', 'song.part']);
  });

  it('has places for all peers: one of them cannot take every one', () => {
    const slots = createIncomingSlots({ total: 3, perPeer: 2 });
    const [first, second] = [slots.take('mallory'), slots.take('mallory')];
    expect([typeof first, typeof second]).toEqual(['function', 'function']);
    expect(slots.take('mallory')).toBeUndefined();
    expect(slots.take('alice')).toBeTypeOf('function');
    expect(slots.take('bob')).toBeUndefined(); // All three are taken.
    first?.();
    expect(slots.take('bob')).toBeTypeOf('function');
    second?.();
    expect(slots.take('mallory')).toBeTypeOf('function');
  });
});

describe('names of other peers', () => {
  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\windows\\a.txt', 'a.txt'],
    ['.bashrc', 'bashrc'],
    ['..', 'file'],
    ['', 'file'],
    ['a\u0000\u001b[2J.txt', 'a__[2J.txt'],
    ['grüße.txt', 'grüße.txt'],
    ['NUL', '_NUL'],
    ['com1 .tar.gz', '_com1 .tar.gz'],
    ['console.log', 'console.log'],
  ])('%j become safe: %j', (name, expected) => {
    expect(safeFileName(name)).toBe(expected);
  });

  it('are shortened to what file systems take, with their ending', async () => {
    const name = safeFileName(`${'ü'.repeat(500)}.tar`);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(204);
    expect(name.endsWith('.tar')).toBe(true);
    await writeFile(join(directory, '.part'), 'content');
    await expect(giveFreeName(join(directory, '.part'), directory, name)).resolves.toContain('.tar');
  });

  it('are taken by the file itself and never by an empty one, though others want them too', async () => {
    const parts = Array.from({ length: 8 }, (_, i) => join(directory, `.${i}.part`));
    for (const part of parts) await writeFile(part, part);
    const empty: string[] = [];
    let isDone = false;
    const look = (): void => {
      for (const name of readdirSync(directory)) {
        if (statSync(join(directory, name), { throwIfNoEntry: false })?.size === 0) empty.push(name);
      }
      if (!isDone) setImmediate(look);
    };
    look();
    const paths = await Promise.all(parts.map((part) => giveFreeName(part, directory, 'a.txt')));
    isDone = true;
    expect(empty).toEqual([]);
    expect(new Set(paths).size).toBe(8);
    for (const [i, path] of paths.entries()) expect(await readFile(path, 'utf8')).toBe(parts[i]);
    expect((await readdir(directory)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

describe('stream reader', () => {
  it('reads exact numbers of bytes out of chunks of any size', async () => {
    const reader = createStreamReader(
      (async function* () {
        yield Uint8Array.of(1);
        yield Uint8Array.of(2, 3, 4);
        yield new Uint8Array(0);
        yield Uint8Array.of(5);
      })(),
    );
    expect(await reader.exactly(2)).toEqual(Uint8Array.of(1, 2));
    expect(await reader.exactly(0)).toEqual(new Uint8Array(0));
    expect(await reader.exactly(3)).toEqual(Uint8Array.of(3, 4, 5));
    await expect(reader.exactly(1)).rejects.toThrow('the stream ended early');
  });
});
