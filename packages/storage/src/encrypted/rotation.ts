import { isStorageError } from '../errors.ts';
import type { OperationOptions, VerifyProblem } from '../key-value/key-value-store.ts';
import { assertEncryptedOpen, commit, type EncryptedState } from './encrypted-state.ts';
import { isFresh, type SealedWrite } from './freshness.ts';

/** Options of a rotation. */
export interface RotationOptions extends OperationOptions {
  /** Called after each step with the number of records seen so far; it must not throw. */
  readonly onProgress?: ((seen: number) => void) | undefined;
  /**
   * What becomes of records that cannot be believed: `keep` leaves them and the old data keys, so that the rotation
   * is not at its end; `remove` deletes them.
   * @defaultValue 'keep'
   */
  readonly damaged?: 'keep' | 'remove' | undefined;
}

/** What a rotation has done. */
export interface RotationReport {
  /** Records that were there. */
  readonly seen: number;
  /** Records that were sealed anew; others were written during the rotation. */
  readonly resealed: number;
  /**
   * Records that could not be sealed anew, at most the first 1,000. While they are kept the old data keys are too:
   * put a backup in their place, delete them, or call again with `damaged: 'remove'`.
   */
  readonly problems: readonly VerifyProblem[];
}

const MAX_PROBLEMS = 1_000;

// Writes wait while one step is made: a few milliseconds, and one sync.
const STEP_RECORDS = 128;

/**
 * Adds a data key, seals every older record with it, then drops the older keys and compacts. Each step leaves
 * a store that opens, so that a crash costs only the repetition.
 */
export async function rotateDataKey(
  state: EncryptedState,
  { signal, onProgress, damaged = 'keep' }: RotationOptions,
): Promise<RotationReport> {
  const { gate, keyring, base } = state;
  assertEncryptedOpen(state, false, signal);
  if (damaged !== 'keep' && damaged !== 'remove') throw new TypeError("damaged must be 'keep' or 'remove'");
  if (!keyring.isRotating) await gate.hold(() => keyring.addDataKey());
  const problems: VerifyProblem[] = [];
  let [seen, resealed] = [0, 0];
  let cursor: Uint8Array | undefined;
  do {
    assertEncryptedOpen(state, false, signal);
    const step = await gate.hold(() => resealStep(state, cursor, damaged));
    cursor = step.last;
    seen += step.seen;
    resealed += step.resealed;
    problems.push(...step.problems.slice(0, MAX_PROBLEMS - problems.length));
    onProgress?.(seen);
  } while (cursor !== undefined);
  if (problems.length > 0 && damaged === 'keep') return { seen, resealed, problems };
  await gate.hold(() => keyring.dropOldKeys());
  // What LevelDB keeps of overwritten records is still sealed with the old key.
  await base.compact({ signal });
  return { seen, resealed, problems };
}

async function resealStep(
  state: EncryptedState,
  cursor: Uint8Array | undefined,
  damaged: 'keep' | 'remove',
): Promise<RotationReport & { last: Uint8Array | undefined }> {
  await using iterator = state.records.iterate(cursor === undefined ? {} : { gt: cursor });
  const page = await iterator.nextMany(STEP_RECORDS);
  assertEncryptedOpen(state, false);
  const writes: SealedWrite[] = [];
  const problems: VerifyProblem[] = [];
  for (const [key, old] of page) {
    const result = reseal(state, key, old);
    if (typeof result === 'string') {
      problems.push({ code: result, key });
      if (damaged === 'remove') writes.push({ key, record: undefined });
    } else if (result !== undefined) writes.push({ key, record: result });
  }
  // Durable before the old key goes.
  if (writes.length > 0) await commit(state, writes, true);
  const resealed = writes.filter(({ record }) => record !== undefined).length;
  return { seen: page.length, resealed, problems, last: page.at(-1)?.[0] };
}

/** The record under the current key, undefined when it is already, or why it cannot be believed. */
function reseal(
  { codec, freshness }: EncryptedState,
  key: Uint8Array,
  old: Uint8Array,
): Uint8Array | VerifyProblem['code'] | undefined {
  // An older version that was put back must not become the latest one by being sealed anew.
  if (freshness !== undefined && !isFresh(freshness.versions, key, old)) return 'RECORD_ROLLED_BACK';
  try {
    return codec.reseal(key, old);
  } catch (error) {
    if (isStorageError(error, 'UNSUPPORTED_FORMAT')) return 'UNSUPPORTED_FORMAT';
    if (isStorageError(error, 'RECORD_CORRUPT')) return 'RECORD_CORRUPT';
    throw error;
  }
}
