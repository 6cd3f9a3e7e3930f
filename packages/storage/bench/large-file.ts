import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEncryptedStore } from '@nzcore/storage';
import { openFileStore } from '@nzcore/storage/files';
import { createMemoryStore } from '@nzcore/storage/memory';

// `pnpm --filter @nzcore/storage proof:file [MiB] [limit in MiB]` writes and reads a file of 2 GiB and tells how much memory that took.

const MEBIBYTE = 1_048_576;
// Blocks on their way, and what the collector has not taken yet; the file has sixteen times as much.
const limitMib = Number(process.argv[3] ?? 128);

const size = Number(process.argv[2] ?? 2_048);
const directory = await mkdtemp(join(tmpdir(), 'nzcore-large-'));
let peak = 0;
const baseline = process.memoryUsage.rss();
const watch = (): void => {
  peak = Math.max(peak, process.memoryUsage.rss() - baseline);
};

try {
  await using store = await openEncryptedStore(createMemoryStore(), { key: new Uint8Array(32) });
  await using files = await openFileStore(directory, { catalog: store.namespace('files') });
  const written = createHash('sha256');
  const content = function* (): Generator<Uint8Array, void> {
    const block = new Uint8Array(MEBIBYTE);
    for (let i = 0; i < size; i++) {
      block.fill(i & 0xff);
      written.update(block);
      watch();
      yield block;
    }
  };
  let started = performance.now();
  const { size: bytes } = await files.write('large', content());
  const writeRate = size / ((performance.now() - started) / 1_000);
  started = performance.now();
  const read = createHash('sha256');
  await using file = (await files.open('large'))!;
  for await (const part of file.read()) {
    read.update(part);
    watch();
  }
  const readRate = size / ((performance.now() - started) / 1_000);
  if (bytes !== size * MEBIBYTE || read.digest('hex') !== written.digest('hex'))
    throw new Error('another content');
  const peakMib = Math.round(peak / MEBIBYTE);
  process.stdout.write(
    `${size} MiB: written ${writeRate.toFixed(0)} MiB/s, read ${readRate.toFixed(0)} MiB/s (with SHA-256), ` +
      `${peakMib} MiB above the start at most\n`,
  );
  if (peakMib > limitMib) throw new Error(`more than ${limitMib} MiB were used`);
} finally {
  await rm(directory, { recursive: true, force: true });
}
