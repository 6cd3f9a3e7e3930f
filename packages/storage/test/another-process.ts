import { type FileSystem, nodeFileSystem } from '../src/files.ts';

let processes = 0;

/** A file system as another process has it, which knows nothing of what is open in this one: for opening after a crash. */
export function asAnotherProcess(fileSystem: FileSystem = nodeFileSystem): FileSystem {
  const name = `process ${processes++}`;
  return {
    ...fileSystem,
    identify: async (directory) => ({ id: `${name}:${directory}`, release: async () => {} }),
  };
}
