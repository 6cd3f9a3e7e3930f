import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The page's program as one script for browsers, from the sources of the libraries. */
export async function bundlePage(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [file('page.ts')],
    bundle: true,
    minify: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    conditions: ['@nzcore/source', 'browser', 'module'],
  });
  return outputFiles[0]!.contents;
}

/** Serves the page on this machine. */
export async function openSite(port: number): Promise<Server> {
  const [script, page] = await Promise.all([bundlePage(), readFile(file('page.html'))]);
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.setHeader(
      'content-security-policy',
      "default-src 'self'; style-src 'unsafe-inline'; script-src 'self' 'wasm-unsafe-eval'; connect-src ws: wss:",
    );
    response.end(isScript ? script : page);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}
