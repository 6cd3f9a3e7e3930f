import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// Debian's browser, which .ci/run installs: there a missing one is a failure, elsewhere this does not run.
const CHROMIUM = '/usr/bin/chromium';
const hasBrowser = existsSync(CHROMIUM);
if (!hasBrowser && process.env['CI']) throw new Error(`no browser at ${CHROMIUM}`);

interface Result {
  readonly claim: string;
  readonly error?: string;
}

let server: Server;
let browser: Browser;

beforeAll(async () => {
  if (!hasBrowser) return;
  const script = await bundlePage();
  server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}, 60_000);

afterAll(async () => {
  await browser?.close();
  server?.close();
});

describe.runIf(hasBrowser)('the browser store in Chromium', () => {
  it('passes the suite on IndexedDB, plain and encrypted', async () => {
    const page = await browser.newPage();
    const failures: string[] = [];
    page.on('pageerror', (error) => failures.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction('globalThis.results !== undefined');
    const results = (await page.evaluate('globalThis.results')) as Result[];
    expect(failures).toEqual([]);
    expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(results.length).toBeGreaterThan(75);
  }, 60_000);
});

async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('browser/page.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    conditions: ['@nzcore/source', 'browser', 'module'],
    // abstract-level imports what is a builtin on Node; a browser's bundle takes the package of that name.
    alias: { events: createRequire(import.meta.url).resolve('events/') },
    logLevel: 'error',
  });
  return outputFiles[0]!.text;
}
