import { startsWith, toHex } from '../bytes.ts';
import { isStorageError } from '../errors.ts';
import type { Entry, StoreStats, VerifyProblem, VerifyReport } from '../key-value/key-value-store.ts';
import { encodeNames, namespaceLength } from '../key-value/namespace.ts';
import { assertEncryptedOpen, type EncryptedState } from './encrypted-state.ts';
import { expectedKeys, isFresh, type Versions } from './freshness.ts';
import { type OpenedRecord, RECORD_OVERHEAD } from './record.ts';

// Small enough that a walk stays responsive to its signal.
const WALK_PAGE = 500;

// A report is to be read by a person; a store that is broken everywhere must not fill the memory with it.
const MAX_PROBLEMS = 1_000;

/** Counts a namespace and those below it. */
export async function statsOf(
  state: EncryptedState,
  path: readonly string[],
  signal: AbortSignal | undefined,
): Promise<StoreStats> {
  const names = encodeNames(path);
  const { codec } = state;
  let [entries, keyBytes, valueBytes, storedBytes] = [0, 0, 0, 0];
  await walkRecords(state, path, signal, (page) => {
    for (const [physicalKey, record] of page) {
      const key = codec.isBlinded ? codec.open(physicalKey, record).key : physicalKey;
      if (!startsWith(key, names)) continue;
      const hidden = codec.isBlinded ? 2 + key.length : 0;
      entries++;
      keyBytes += key.length - (namespaceLength(key) ?? 0);
      valueBytes += record.length - RECORD_OVERHEAD - hidden;
      storedBytes += physicalKey.length + record.length;
    }
  });
  return { entries, keyBytes, valueBytes, storedBytes };
}

/** Opens every record of a namespace and of those below it; of a blinded store, every record. */
export async function verifyRecords(
  state: EncryptedState,
  path: readonly string[],
  signal: AbortSignal | undefined,
): Promise<VerifyReport> {
  const names = encodeNames(path);
  const versions = state.freshness?.versions;
  const problems: VerifyProblem[] = [];
  const report = (code: VerifyProblem['code'], key: Uint8Array): void => {
    if (problems.length < MAX_PROBLEMS) problems.push({ code, key });
  };
  const seen = new Set<string>();
  let entries = 0;
  await walkRecords(state, path, signal, (page) => {
    for (const [physicalKey, record] of page) {
      if (versions !== undefined) seen.add(toHex(physicalKey));
      const opened = tryOpen(state, physicalKey, record, report);
      if (opened !== undefined && !startsWith(opened.key, names)) continue;
      entries++;
      if (opened === undefined || versions === undefined) continue;
      if (!isFresh(versions, physicalKey, record)) report('RECORD_ROLLED_BACK', physicalKey);
    }
  });
  if (versions !== undefined) reportMissing(state, versions, path, seen, report);
  return { entries, problems };
}

function reportMissing(
  { codec }: EncryptedState,
  versions: Versions,
  path: readonly string[],
  seen: ReadonlySet<string>,
  report: (code: VerifyProblem['code'], key: Uint8Array) => void,
): void {
  const gte = codec.isBlinded ? new Uint8Array(0) : encodeNames(path);
  for (const key of expectedKeys(versions, { gte, lt: undefined })) {
    if (!codec.isBlinded && !startsWith(key, gte)) return;
    if (!seen.has(toHex(key))) report('RECORD_ROLLED_BACK', key);
  }
}

function tryOpen(
  { codec }: EncryptedState,
  physicalKey: Uint8Array,
  record: Uint8Array,
  report: (code: VerifyProblem['code'], key: Uint8Array) => void,
): OpenedRecord | undefined {
  try {
    return codec.open(physicalKey, record);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    report(error.code === 'UNSUPPORTED_FORMAT' ? 'UNSUPPORTED_FORMAT' : 'RECORD_CORRUPT', physicalKey);
    return undefined;
  }
}

async function walkRecords(
  state: EncryptedState,
  path: readonly string[],
  signal: AbortSignal | undefined,
  visit: (page: readonly Entry[]) => void,
): Promise<void> {
  const prefix = state.codec.isBlinded ? undefined : encodeNames(path);
  await using records = state.records.iterate({ prefix, signal });
  for (;;) {
    const page = await records.nextMany(WALK_PAGE);
    assertEncryptedOpen(state, false, signal);
    if (page.length === 0) return;
    visit(page);
  }
}
