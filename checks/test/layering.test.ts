import { describe, expect, it } from 'vitest';
import { judgeImport, parseLayerTable } from '../layering.ts';

const table = `text

| layer | package | its one job | may import |
|---|---|---|---|
| 0 | \`crypto\` | primitives | - |
| 1 | \`identity\` | who a peer is | crypto, storage (interface) |

| another | table | may not | count |
`;

describe('layering', () => {
  const rules = parseLayerTable(table);
  const identity = rules.get('identity')!;

  it('reads the rows of the table and no other', () => {
    expect([...rules.keys()]).toEqual(['crypto', 'identity']);
    expect(rules.get('crypto')?.whole.size).toBe(0);
    expect([...identity.whole]).toEqual(['crypto']);
    expect([...identity.interfaceOnly]).toEqual(['storage']);
  });

  it('allows itself, listed packages with subpaths, and packages of others', () => {
    for (const specifier of [
      '@nzcore/identity',
      '@nzcore/crypto/msgpack',
      '@nzcore/storage',
      'multiformats',
    ]) {
      expect(judgeImport(specifier, 'identity', identity)).toBeUndefined();
    }
  });

  it('refuses a package that the row does not name', () => {
    expect(judgeImport('@nzcore/transport', 'identity', identity)).toMatch(
      /may not import @nzcore\/transport/,
    );
    expect(judgeImport('@nzcore/identity', 'crypto', rules.get('crypto')!)).toMatch(/may not import/);
  });

  it('refuses an implementation where only the interface is allowed', () => {
    expect(judgeImport('@nzcore/storage/level', 'identity', identity)).toMatch(/only the interface/);
  });
});
