import type * as fs from 'node:fs/promises';
import { dirname } from 'node:path';

/** A call that changes something on the disk, as a test sees it. */
export type Call = 'lock' | 'write' | 'sync' | 'close' | 'link' | 'rename' | 'remove' | 'syncDirectory';

/** What the file system was asked for, and what it refuses. */
export interface Faults {
  readonly calls: Call[];
  readonly refused: Map<Call, string>;
  /** Runs before a call, as another process might. */
  readonly before: Map<Call, () => void>;
}

/** Node's file system, except for what `faults` refuses with an errno. A refused write has written half. */
export function faultyFs(real: typeof fs, faults: Faults): typeof fs {
  const enter = (call: Call): void => {
    faults.calls.push(call);
    faults.before.get(call)?.();
    const code = faults.refused.get(call);
    if (code !== undefined) throw Object.assign(new Error(`${code}: injected, ${call}`), { code });
  };
  const open: typeof real.open = async (path, flags, mode) => {
    if (String(path).endsWith('.lock') && faults.refused.has('lock')) enter('lock');
    const handle = await real.open(path, flags, mode);
    const isDirectory = (await handle.stat()).isDirectory();
    const sync = handle.sync.bind(handle);
    const writeFile = handle.writeFile.bind(handle);
    if (faults.refused.has('close') && !String(path).endsWith('.lock')) {
      const close = handle.close.bind(handle);
      handle.close = async () => {
        await close();
        enter('close');
      };
    }
    handle.sync = async () => {
      enter(isDirectory ? 'syncDirectory' : 'sync');
      await sync();
    };
    handle.writeFile = async (content) => {
      const bytes = content as Uint8Array;
      try {
        enter('write');
      } catch (error) {
        await writeFile(bytes.subarray(0, bytes.length >> 1));
        throw error;
      }
      await writeFile(bytes);
    };
    return handle;
  };
  return {
    ...real,
    open,
    link: async (from, to) => {
      enter('link');
      await real.link(from, to);
    },
    rename: async (from, to) => {
      // Locks are moved out of the way by a rename too.
      if (!String(from).includes('.lock')) enter('rename');
      await real.rename(from, to);
    },
    rm: async (path, options) => {
      if (String(path).endsWith('.tmp') && dirname(String(path)) !== '') enter('remove');
      await real.rm(path, options);
    },
  };
}
