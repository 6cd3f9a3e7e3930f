/*
 * Writes spec/vectors/NZ-HANDSHAKE-01.json and NZ-CHANNEL-01.json:
 *   npx tsx --conditions=@nzcore/source packages/crypto/test/spec-vectors/write-spec-vectors.ts
 */
import { writeFileSync } from 'node:fs';
import { createPrimitives } from '../../src/index.ts';
import { createChannelVectors } from './channel-vectors.ts';
import { createHandshakeVectors } from './handshake-vectors.ts';

const primitives = createPrimitives('node');
const contents = {
  'NZ-HANDSHAKE-01': createHandshakeVectors(primitives),
  'NZ-CHANNEL-01': createChannelVectors(primitives),
};
for (const [name, content] of Object.entries(contents)) {
  const file = new URL(`../../../../spec/vectors/${name}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(content, null, 1)}\n`);
}
