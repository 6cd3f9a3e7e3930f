import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isStorageError } from '@nzcore/storage';
import { type Acknowledged, checkWorld, newAcknowledged, refusePlaintext } from './check.ts';
import { bundleWorker, startWorker } from './run.ts';
import type { Load } from './world.ts';

// `pnpm --filter @nzcore/storage proof:full-disk [runs]` writes to everything on a file system that fills up, in a namespace of mounts of its
// own: whatever of LevelDB, the files and the log meets the end first says NO_SPACE, and with room again nothing acknowledged is missing.

const runs = Number(process.argv[2] ?? 24);
if (!Number.isSafeInteger(runs) || runs < 1)
  throw new RangeError('the number of runs must be a positive integer');
const KIBIBYTE = 1_024;
const disk = await mkdtemp(join(tmpdir(), 'nzcore-full-'));
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200m', 'tmpfs', disk]);

function resize(kibibytes: number): void {
  execFileSync('mount', ['-o', `remount,size=${kibibytes}k`, disk]);
}

async function usedKibibytes(): Promise<number> {
  const { blocks, bfree, bsize } = await statfs(disk);
  return Math.ceil(((blocks - bfree) * bsize) / KIBIBYTE);
}

/** Writes until the disk is full, looks, and looks again when there is room. @returns how much had been acknowledged */
async function fill(
  worker: string,
  directory: string,
  load: Load & { acknowledged: Acknowledged },
): Promise<number> {
  // From less than one journal of LevelDB to several tables.
  resize((await usedKibibytes()) + 1_000 + Math.floor(Math.random() * 15_000));
  const { signal, errors } = await startWorker(worker, directory, load).ended;
  if (signal !== null || !errors.includes("code: 'NO_SPACE'"))
    throw new Error(`not NO_SPACE, but: ${errors}`);
  const onFullDisk = await checkWorld(directory, load.acknowledged, load).catch((error: unknown) => {
    if (!isStorageError(error, 'NO_SPACE')) throw error;
  });
  resize(200 * KIBIBYTE);
  const report = await checkWorld(directory, load.acknowledged, load);
  return (onFullDisk ?? report).acknowledged;
}

try {
  const worker = await bundleWorker('full-disk');
  let checked = 0;
  for (let run = 0; run < runs; ) {
    const directory = join(disk, `${run}`);
    await mkdir(directory);
    const acknowledged = newAcknowledged();
    const load = { freshness: run % 4 >= 2, isCalm: run % 8 >= 4, acknowledged };
    // The second time it is full of what was written the first time.
    for (let time = 0; time < 2 && run < runs; time++, run++) checked += await fill(worker, directory, load);
    await refusePlaintext(directory);
    await rm(directory, { recursive: true });
  }
  process.stdout.write(
    `${runs} full disks: NO_SPACE each time, nothing acknowledged was lost (${checked} checks)\n`,
  );
} finally {
  execFileSync('umount', [disk]);
  await rm(disk, { recursive: true });
}
