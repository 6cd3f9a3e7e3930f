import type { OperationOptions } from '../key-value/key-value-store.ts';
import { assertEncryptedOpen, commit, type EncryptedState } from './encrypted-state.ts';
import type { SealedWrite } from './freshness.ts';

/** Options of a rotation. */
export interface RotationOptions extends OperationOptions {
  /** Called after each step with the number of records seen so far; it must not throw. */
  readonly onProgress?: ((seen: number) => void) | undefined;
}

/** What a rotation has done. */
export interface RotationReport {
  /** Records that were there. */
  readonly seen: number;
  /** Records that were sealed anew; others were written during the rotation. */
  readonly resealed: number;
}

// Writes wait while one step is made: a few milliseconds, and one sync.
const STEP_RECORDS = 128;

/**
 * Adds a data key, seals every older record with it, then drops the older keys and compacts. Each step leaves
 * a store that opens, so that a crash costs only the repetition.
 */
export async function rotateDataKey(
  state: EncryptedState,
  { signal, onProgress }: RotationOptions,
): Promise<RotationReport> {
  const { gate, keyring, base } = state;
  assertEncryptedOpen(state, false, signal);
  if (!keyring.isRotating) await gate.hold(() => keyring.addDataKey());
  let [seen, resealed] = [0, 0];
  let cursor: Uint8Array | undefined;
  do {
    assertEncryptedOpen(state, false, signal);
    const step = await gate.hold(() => resealStep(state, cursor));
    cursor = step.last;
    seen += step.seen;
    resealed += step.resealed;
    onProgress?.(seen);
  } while (cursor !== undefined);
  await gate.hold(() => keyring.dropOldKeys());
  // What LevelDB keeps of overwritten records is still sealed with the old key.
  await base.compact({ signal });
  return { seen, resealed };
}

async function resealStep(
  state: EncryptedState,
  cursor: Uint8Array | undefined,
): Promise<RotationReport & { last: Uint8Array | undefined }> {
  const { records, codec } = state;
  await using iterator = records.iterate(cursor === undefined ? {} : { gt: cursor });
  const page = await iterator.nextMany(STEP_RECORDS);
  assertEncryptedOpen(state, false);
  const writes: SealedWrite[] = [];
  for (const [key, old] of page) {
    const record = codec.reseal(key, old);
    if (record !== undefined) writes.push({ key, record });
  }
  // Durable before the old key goes: a sync of the last write alone would not promise the earlier ones.
  if (writes.length > 0) await commit(state, writes, true);
  return { seen: page.length, resealed: writes.length, last: page.at(-1)?.[0] };
}
