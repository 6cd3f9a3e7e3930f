import { hkdfSync } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mnemonicToEntropy, seedFromMnemonic } from '@nzcore/identity';
import { openKeystore, readPassphrase } from '@nzcore/identity/keystore';
import { expect, it } from 'vitest';
import type { ChildPeer } from '../src/child-peer.ts';
import { loopback, openPlace, type Place } from './real-peer.ts';

const MESSAGE = 'a message that must not be stored anywhere';
const CONTENT = 'a content that only the one who asked for it may have';
const PASSPHRASE = 'a passphrase that no other file may hold';

/** Where the passphrase of a peer is that was given none. */
async function generatedPassphrase(place: Place): Promise<string> {
  const names = await readdir(place.directory, { recursive: true });
  const found = names.filter((name) => /passphrase/.test(name) && !/received/.test(name));
  const files: string[] = [];
  for (const name of found) {
    const path = place.path(name);
    if (
      await readFile(path).then(
        () => true,
        () => false,
      )
    )
      files.push(path);
  }
  expect(files.length).toBe(1);
  return files[0]!;
}

/** Every way in which a careless program writes bytes, of which a part is enough to be found. */
function writtenOut(bytes: Uint8Array): Buffer[] {
  const part = bytes.subarray(0, 16);
  const texts = [
    Buffer.from(part).toString('hex'),
    Buffer.from(part).toString('hex').toUpperCase(),
    [...part].join(','),
    [...part].join(', '),
    // In base64 a text depends on where in a group of three it begins; the last digit hangs on what follows.
    ...[0, 1, 2].flatMap((at) =>
      (['base64', 'base64url'] as const).map((encoding) =>
        Buffer.from(bytes.subarray(at, at + 15)).toString(encoding),
      ),
    ),
  ];
  return [Buffer.from(part), ...texts.map((text) => Buffer.from(text))];
}

/** Everything that may be in no file of a peer with this keystore. */
async function secretsOf(
  keystorePath: string,
  passphrase: Uint8Array | string,
): Promise<Map<string, Buffer>> {
  using keystore = await openKeystore(keystorePath);
  await keystore.unlock(passphrase);
  const mnemonic = await keystore.revealMnemonic(passphrase);
  const seed = await seedFromMnemonic(mnemonic);
  const derive = (label: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha512', seed, 'NZ-IDENTITY-01', `NZ-IDENTITY-01/${label}`, 32));
  using identity = keystore.identity();
  using storage = identity.storageKey();
  // The derivation here is the one of the specification: it gives the key that the peer works with.
  expect(storage.use((key) => Buffer.from(key).equals(derive('storage')))).toBe(true);
  const binary = {
    seed,
    entropy: mnemonicToEntropy(mnemonic),
    ...Object.fromEntries(
      ['identity', 'key-agreement', 'storage', 'recovery'].map((label) => [label, derive(label)]),
    ),
  };
  const secrets = new Map<string, Buffer>();
  for (const [name, bytes] of Object.entries(binary)) {
    for (const [i, form] of writtenOut(bytes).entries()) secrets.set(`${name}, form ${i}`, form);
  }
  const words = mnemonic.split(' ');
  // Two words in a row; one alone may stand in any binary file by chance.
  for (const [i, word] of words.slice(1).entries()) {
    for (const between of [' ', ',', '\n', '","']) {
      secrets.set(`words ${i}${JSON.stringify(between)}`, Buffer.from(`${words[i]}${between}${word}`));
    }
  }
  const text = Buffer.from(passphrase);
  secrets.set('passphrase', text);
  for (const form of [text.toString('hex'), text.toString('base64').slice(0, 40)]) {
    secrets.set(`passphrase as ${form.slice(0, 4)}`, Buffer.from(form));
  }
  return secrets;
}

async function findingsIn(
  directory: string,
  secrets: Map<string, Buffer>,
): Promise<{ files: number; found: string[] }> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  let files = 0;
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    for (const [name, secret] of secrets)
      if (Buffer.from(path).includes(secret)) found.push(`${name} names ${path}`);
    if (!entry.isFile()) continue;
    files++;
    const content = await readFile(path);
    for (const [name, secret] of secrets) if (content.includes(secret)) found.push(`${name} in ${path}`);
  }
  return { files, found };
}

it('two peers that talked, sent a file and started again leave no word, key, passphrase or plaintext in any file', async () => {
  await using place = await openPlace();
  const start = async (name: string, env: Record<string, string>, more: string[] = []) => {
    const own = [
      '--data-dir',
      place.path(name),
      '--received-dir',
      place.path(`${name}-received`),
      ...loopback,
    ];
    const peer: ChildPeer = place.run([...own, ...more], env);
    const ready = await peer.take({ event: 'ready' });
    return { peer, peerId: String(ready['peerId']), address: String((ready['addresses'] as string[])[0]) };
  };
  // The second run finds the stores of the first one, its journals and what it knows of the other.
  for (let run = 0; run < 2; run++) {
    // One is given its passphrase, the other one makes it.
    const alice = await start('alice', { NZCORE_PASSPHRASE: PASSPHRASE });
    const bob = await start('bob', {}, ['--bootstrap', alice.address]);
    await bob.peer.take({ event: 'connected', peerId: alice.peerId });
    bob.peer.type(`send ${alice.peerId} ${MESSAGE}`);
    await alice.peer.take({ event: 'message', text: MESSAGE });
    await writeFile(place.path('notes.txt'), CONTENT);
    alice.peer.type(`send-file ${bob.peerId} ${place.path('notes.txt')}`);
    const file = await bob.peer.take({ event: 'file', name: 'notes.txt' });
    await alice.peer.take({ event: 'file-sent' });
    expect(await readFile(String(file['path']), 'utf8')).toBe(CONTENT);
    // What was sent and received are the users' own files.
    await rm(place.path('notes.txt'));
    await rm(String(file['path']));
    for (const { peer } of [alice, bob]) {
      peer.type('quit');
      expect((await peer.exited).code).toBe(0);
    }
  }
  const passphraseFile = await generatedPassphrase(place);
  const generated = await readPassphrase([{ type: 'file', path: passphraseFile }]);
  const secrets = new Map([
    ...(await secretsOf(place.path('alice', 'keystore'), PASSPHRASE)),
    ...[...(await secretsOf(place.path('bob', 'keystore'), generated))].map(
      ([name, secret]) => [`bob's ${name}`, secret] as const,
    ),
    ['the message', Buffer.from(MESSAGE)],
    ['the content', Buffer.from(CONTENT)],
    ['the name of the file', Buffer.from('notes.txt')],
  ]);
  // The search would find them: the one file that holds a passphrase does.
  const { found: expected } = await findingsIn(join(passphraseFile, '..'), secrets);
  expect(expected).toEqual([`bob's passphrase in ${passphraseFile}`]);
  await rm(passphraseFile);
  const { files, found } = await findingsIn(place.directory, secrets);
  expect(found).toEqual([]);
  expect(files).toBeGreaterThan(8);
}, 120_000);
