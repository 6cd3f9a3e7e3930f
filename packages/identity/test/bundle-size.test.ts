import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

async function bundleOf(source: string): Promise<{ size: number; gzipped: number; inputs: string[] }> {
  const result = await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL('..', import.meta.url)) },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@nzcore/source', 'browser'],
  });
  const bytes = result.outputFiles[0]!.contents;
  return { size: bytes.length, gzipped: gzipSync(bytes).length, inputs: Object.keys(result.metafile.inputs) };
}

describe('a browser that only needs PeerIds', () => {
  it('loads less than 5 kB for them, and no cryptography', async () => {
    const { size, gzipped, inputs } = await bundleOf(
      "export { parsePeerId, peerIdFromPublicKey, publicKeyFromPeerId } from '@nzcore/identity/peer-id';",
    );
    expect(size).toBeLessThan(5000);
    expect(gzipped).toBeLessThan(2500);
    expect(inputs.filter((path) => /libsodium|bip39|msgpackr|packages\/crypto/.test(path))).toEqual([]);
  });
});
