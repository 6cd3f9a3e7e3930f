import { isMissing } from '../file-system/file-access.ts';
import type { CatalogEntry, FileCatalog } from './file-catalog.ts';
import type { FileContents } from './file-contents.ts';
import { checkedFileName } from './file-names.ts';

/**
 * Changes without `sync`, and the contents that they have replaced or deleted. The catalog keeps the keys of these beside the new
 * entry, so that a power loss costs the new content at most: they go when the new one is known to last.
 */
export interface ReplacedFiles {
  /**
   * Puts an entry, or its absence, in place. Call it inside of what serialises the changes of the name.
   * @param old - The entry until now.
   */
  change(
    name: string,
    change: { entry: CatalogEntry | undefined; old: CatalogEntry | undefined },
    sync: boolean,
  ): Promise<void>;
  /** Whether so much is kept, or so many changes are not durable, that they should be settled. */
  readonly isFull: boolean;
  /** The names whose last change may not last. */
  names(): string[];
  /** Makes the content of a name durable and gives up the one before it, if there was one. Serialised as `change`. */
  settle(name: string): Promise<void>;
}

// Old contents cost disk space, and their names memory and a check after a crash.
const MAX_KEPT_FILES = 64;
const MAX_KEPT_BYTES = 256 * 1_048_576;
// New files cost no more than the memory of their names: whoever brings thousands of them wants to wait at the end only.
const MAX_NAMES = 4_096;

/** Over a catalog whose replaced entries were recovered. */
export function createReplacedFiles(catalog: FileCatalog, contents: FileContents): ReplacedFiles {
  const kept = new Map<string, CatalogEntry>();
  const unsettled = new Set<string>();

  const forget = async (name: string): Promise<void> => {
    const entry = kept.get(name);
    kept.delete(name);
    unsettled.delete(name);
    if (entry !== undefined) await contents.remove(entry.id);
  };

  return {
    change: async (name, { entry, old }, sync) => {
      const bytes = checkedFileName(name);
      if (!sync) unsettled.add(name);
      if (sync) {
        await catalog.change(bytes, entry, { sync: true, replaced: undefined });
        await forget(name);
      } else if (old !== undefined && !kept.has(name)) {
        await catalog.change(bytes, entry, { sync: false, replaced: old });
        kept.set(name, old);
        return;
      } else {
        // What lasts is the content before the first change; those in between never did.
        await catalog.change(bytes, entry, { sync: false });
      }
      if (old !== undefined) await contents.remove(old.id);
    },
    get isFull() {
      let bytes = 0;
      for (const { size } of kept.values()) bytes += size;
      return kept.size > MAX_KEPT_FILES || bytes > MAX_KEPT_BYTES || unsettled.size > MAX_NAMES;
    },
    names: () => [...unsettled],
    settle: async (name) => {
      if (!unsettled.has(name)) return;
      const bytes = checkedFileName(name);
      const entry = await catalog.get(bytes);
      const isTakenAway = entry !== undefined && !(await isSynced(contents, entry));
      // The one before it is all that there is, and the next opening puts it back.
      if (isTakenAway && kept.has(name)) return;
      await catalog.change(bytes, entry, { sync: true, replaced: undefined });
      await forget(name);
    },
  };
}

/**
 * After an end without closing: a change that arrived as a whole stays, any other is undone.
 * @returns the names that got the content before it
 */
export async function recoverReplacedFiles(catalog: FileCatalog, contents: FileContents): Promise<string[]> {
  const restored: string[] = [];
  for await (const old of catalog.replaced()) {
    const bytes = checkedFileName(old.name);
    const entry = await catalog.get(bytes);
    const isLost = entry !== undefined && !(await contents.isIntact(entry)) && (await contents.isIntact(old));
    if (!isLost && entry !== undefined) await isSynced(contents, entry);
    await catalog.change(bytes, isLost ? old : entry, { sync: true, replaced: undefined });
    if (isLost) restored.push(old.name);
    const superfluous = isLost ? entry : old;
    if (superfluous !== undefined) await contents.remove(superfluous.id);
  }
  return restored;
}

/** False when the content is missing. */
async function isSynced(contents: FileContents, entry: CatalogEntry): Promise<boolean> {
  try {
    await contents.sync(entry);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
