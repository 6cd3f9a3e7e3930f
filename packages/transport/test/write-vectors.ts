import { writeFile } from 'node:fs/promises';
import { buildDatagramVectors } from './datagram-vectors.ts';
import { buildVectors } from './wire-vectors.ts';

// npx tsx --conditions=@nzcore/source packages/transport/test/write-vectors.ts
// Version 1 of NZ-WIRE-01 is frozen: its file is never written again.
const write = (name: string, vectors: unknown): Promise<void> =>
  writeFile(
    new URL(`../../../spec/vectors/${name}.json`, import.meta.url),
    `${JSON.stringify(vectors, undefined, 1)}\n`,
  );
await write('NZ-WIRE-01', await buildVectors(2));
await write('NZ-DATAGRAM-01', buildDatagramVectors());
