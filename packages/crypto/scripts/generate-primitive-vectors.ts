import { writeFile } from 'node:fs/promises';
import { primitiveVectors } from './primitive-vectors.ts';

const target = new URL('../../../spec/vectors/primitives.json', import.meta.url);
await writeFile(target, `${JSON.stringify(primitiveVectors(), null, 2)}\n`);
