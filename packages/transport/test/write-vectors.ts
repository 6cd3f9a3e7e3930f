import { writeFile } from 'node:fs/promises';
import { buildVectors } from './wire-vectors.ts';

// npx tsx --conditions=@nzcore/source packages/transport/test/write-vectors.ts
// Version 1 is frozen: its file is never written again.
const file = new URL('../../../spec/vectors/NZ-WIRE-01.json', import.meta.url);
await writeFile(file, `${JSON.stringify(await buildVectors(2), undefined, 1)}\n`);
