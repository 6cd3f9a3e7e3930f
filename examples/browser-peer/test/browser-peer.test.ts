import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildPeer, spawnPeer } from '../../reference-peer/src/child-peer.ts';
import { openSite } from '../src/site.ts';

/** Debian's, which .ci/run installs: there a missing one is a failure, elsewhere this does not run. */
const CHROMIUM = '/usr/bin/chromium';
const hasBrowser = existsSync(CHROMIUM);
if (!hasBrowser && process.env['CI']) throw new Error(`no browser at ${CHROMIUM}`);

let directory: string | undefined;
let reference: ChildPeer;
let site: Server;
let browser: Browser;

beforeAll(async () => {
  if (!hasBrowser) return;
  const place = await mkdtemp(join(tmpdir(), 'nzcore-browser-'));
  directory = place;
  const main = fileURLToPath(new URL('../../reference-peer/src/main.ts', import.meta.url));
  const own = (name: string): string => join(place, name);
  const listen = ['--listen', '/ip4/127.0.0.1/tcp/0/ws'];
  const places = ['--data-dir', own('data'), '--received-dir', own('received')];
  reference = spawnPeer({
    command: [
      process.execPath,
      '--conditions=@nzcore/source',
      '--import=tsx',
      main,
      '--json',
      ...places,
      ...listen,
    ],
    env: { PATH: process.env['PATH'] ?? '', HOME: own('home'), XDG_CONFIG_HOME: own('config') },
  });
  site = await openSite(0);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  site?.close();
  await reference?.[Symbol.asyncDispose]();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

describe.runIf(hasBrowser)('the peer in a browser', () => {
  it('connects to the reference peer over WebSocket, and messages go both ways', async () => {
    const ready = await reference.take({ event: 'ready' }, 60_000);
    const peerId = String(ready['peerId']);
    const [address = ''] = ready['addresses'] as string[];
    const page = await browser.newPage({ viewport: { width: 900, height: 620 } });
    const failures: string[] = [];
    page.on('pageerror', (error) => failures.push(error.message));
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    await page.locator('#status', { hasText: 'ready' }).waitFor();
    const own = (await page.locator('#peer').textContent()) ?? '';

    await page.fill('#address', address);
    await page.click('#connect button');
    await page.locator('#status', { hasText: `connected to ${peerId}` }).waitFor();
    await reference.take({ event: 'connected', peerId: own }, 30_000);

    await page.fill('#text', 'hello from a page');
    await page.click('#send button');
    await reference.take({ event: 'message', from: own, text: 'hello from a page' }, 30_000);
    await page.locator('.out', { hasText: 'you: hello from a page' }).waitFor();

    reference.type(`send ${own} hello from a terminal`);
    await page.locator('.in', { hasText: 'hello from a terminal' }).waitFor();
    await reference.take({ event: 'sent', to: own }, 30_000);
    const shot = process.env['SCREENSHOT'];
    if (shot !== undefined) await page.screenshot({ path: shot });

    // Another peer than the one in the address is refused, and the page says so.
    await page.fill('#address', address.replace(/\/p2p\/.*$/, `/p2p/${own}`));
    await page.click('#connect button');
    await page.locator('.error').waitFor();
    expect(failures).toEqual([]);
  }, 120_000);
});
