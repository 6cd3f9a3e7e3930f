import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createVectors } from './vectors.ts';

// `pnpm --filter @nzcore/storage vectors` writes spec/vectors/storage.json; the tests compare it with what the code makes.

const path = fileURLToPath(new URL('../../../spec/vectors/storage.json', import.meta.url));
await writeFile(path, `${JSON.stringify(await createVectors(), undefined, 2)}\n`);
