import type { FileSystem, OpenedFile } from '../src/files.ts';
import { nodeFileSystem } from '../src/files.ts';

export type Operation =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'rename'
  | 'remove'
  | 'syncDirectory';

/** What happens at the n-th call of an operation (from 1 on) and at all later ones. */
export interface Fault {
  readonly operation: Operation;
  readonly at: number;
  /** An errno; `short` writes half and then goes on. */
  readonly kind: 'ENOSPC' | 'EIO' | 'short';
}

/** Calls that change what is on the disk, in their order, with the name of the file; those that only read are left out. */
export function createTracedFileSystem(): { fileSystem: FileSystem; trace: string[] } {
  const trace: string[] = [];
  const nameOf = (path: string): string => path.replace(/^.*\//, '').replace(/[0-9a-f]{32}/, 'id');
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    open: async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode);
      const name = nameOf(path);
      return {
        ...file,
        write: async (parts, position) => {
          const written = await file.write(parts, position);
          if (trace.at(-1) !== `write ${name}`) trace.push(`write ${name}`);
          return written;
        },
        sync: async () => {
          await file.sync();
          trace.push(`sync ${name}`);
        },
        truncate: async (size) => {
          await file.truncate(size);
          trace.push(`truncate ${name}`);
        },
      };
    },
    rename: async (from, to) => {
      await nodeFileSystem.rename(from, to);
      trace.push(`rename ${nameOf(from)} ${nameOf(to)}`);
    },
    remove: async (path) => {
      await nodeFileSystem.remove(path);
      trace.push(`remove ${nameOf(path)}`);
    },
    syncDirectory: async (path) => {
      await nodeFileSystem.syncDirectory(path);
      trace.push('sync directory');
    },
  };
  return { fileSystem, trace };
}

/** Node's file system with one fault. */
export function createFaultyFileSystem(fault: Fault): {
  fileSystem: FileSystem;
  calls: Map<Operation, number>;
} {
  const calls = new Map<Operation, number>();
  const isDue = (operation: Operation): boolean => {
    const count = (calls.get(operation) ?? 0) + 1;
    calls.set(operation, count);
    return operation === fault.operation && count >= fault.at;
  };
  const check = (operation: Operation): void => {
    if (isDue(operation) && fault.kind !== 'short') {
      throw Object.assign(new Error(`${fault.kind}: injected`), { code: fault.kind });
    }
  };
  const wrapFile = (file: OpenedFile): OpenedFile => ({
    read: async (target, position) => {
      if (isDue('read')) {
        if (fault.kind === 'short')
          return file.read(target.subarray(0, Math.ceil(target.length / 2)), position);
        throw Object.assign(new Error(`${fault.kind}: injected`), { code: fault.kind });
      }
      return file.read(target, position);
    },
    write: async (parts, position) => {
      if (!isDue('write')) return file.write(parts, position);
      // A device that fills up takes what still fits.
      const all = Buffer.concat(parts);
      const written = await file.write(
        [new Uint8Array(all.subarray(0, Math.ceil(all.length / 2)))],
        position,
      );
      if (fault.kind === 'short') return written;
      throw Object.assign(new Error(`${fault.kind}: injected`), { code: fault.kind });
    },
    sync: async () => {
      check('sync');
      await file.sync();
    },
    truncate: async (size) => {
      check('truncate');
      await file.truncate(size);
    },
    size: () => file.size(),
    close: () => file.close(),
  });
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    open: async (path, mode) => {
      check('open');
      return wrapFile(await nodeFileSystem.open(path, mode));
    },
    rename: async (from, to) => {
      check('rename');
      await nodeFileSystem.rename(from, to);
    },
    remove: async (path) => {
      check('remove');
      await nodeFileSystem.remove(path);
    },
    syncDirectory: async (path) => {
      check('syncDirectory');
      await nodeFileSystem.syncDirectory(path);
    },
  };
  return { fileSystem, calls };
}
