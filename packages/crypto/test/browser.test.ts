import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const CHROMIUM = '/usr/bin/chromium';
const hasBrowser = existsSync(CHROMIUM);
if (!hasBrowser && process.env['CI']) throw new Error(`no browser at ${CHROMIUM}`);

async function bundle(): Promise<string> {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL('browser-page.ts', import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@nzcore/source', 'browser'],
    logLevel: 'silent',
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports.map(({ path }) => path));
  expect(imports.filter((path) => path.startsWith('node:'))).toEqual([]);
  return outputFiles[0]!.text;
}

/** Serves the page, its script and the vectors; answers what the page posts. */
async function runPage(script: string, vectors: string): Promise<string[]> {
  const server = createServer();
  const posted = new Promise<string>((resolve) => {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const send = (type: string, body: string): void =>
        void response.writeHead(200, { 'content-type': type }).end(body);
      if (request.url === '/script.js') send('text/javascript', script);
      else if (request.url === '/vectors') send('application/json', vectors);
      else if (request.url === '/result') {
        request
          .setEncoding('utf8')
          .toArray()
          .then((chunks: string[]) => resolve(chunks.join('')), String);
        send('text/plain', '');
      } else send('text/html', '<!doctype html><script type="module" src="/script.js"></script>');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const profile = await mkdtemp(join(tmpdir(), 'nzcore-crypto-browser-'));
  const { port } = server.address() as AddressInfo;
  const args = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`];
  const browser = spawn(CHROMIUM, [...args, `http://127.0.0.1:${port}/`], { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => browser.once('exit', () => resolve()));
  try {
    return JSON.parse(await posted) as string[];
  } finally {
    browser.kill('SIGKILL');
    await exited;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

it('the whole package runs in a browser on libsodium alone', { timeout: 60_000 }, async () => {
  const script = await bundle();
  const vectors = await readFile(new URL('../../../spec/vectors/primitives.json', import.meta.url), 'utf8');
  // Where there is no browser, the bundle without a Node import is what can be shown.
  expect(hasBrowser ? await runPage(script, vectors) : []).toEqual([]);
});
