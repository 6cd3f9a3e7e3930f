import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openLevelStore } from '@nzcore/storage/level';
import { describe, expect, it } from 'vitest';
import { createCard } from '../src/card.ts';
import { delegate } from '../src/delegation.ts';
import { mnemonicToEntropy, seedFromMnemonic } from '../src/index.ts';
import { deriveKey, deriveProfileSeed, type KeyPurpose } from '../src/key-schedule.ts';
import { createKeystore, type Keystore, openKeystore, type PasswordHash } from '../src/keystore.ts';
import { openProfileStore } from '../src/profile-store.ts';
import { cardToSvgQr } from '../src/qr.ts';
import { filesBelow, temporaryDirectory } from './temporary-directory.ts';

const NOW = 1_800_000_000_000;
// Words of at least six letters, so that none is found in binary files by chance.
const WORDS = 'screen dismiss either matter luxury segment appear unlock current unknown flower couple';
const passwordHash: PasswordHash = { algorithm: 'scrypt', logN: 14, r: 8, p: 1 };
const passphrases = ['the first passphrase', 'the second passphrase', 'the export passphrase'] as const;
const PURPOSES: readonly KeyPurpose[] = ['identity', 'key-agreement', 'storage', 'recovery'];
const PLAINTEXTS = ['an entry in a diary', 'the name of a friend', 'a private peer'];

/** Everything that must not be readable, in the encodings in which a careless program writes it. */
async function secretsOf(words: string): Promise<Map<string, Buffer>> {
  const seed = await seedFromMnemonic(words);
  const profileSeeds = [0, 1, 2].map((index) => deriveProfileSeed(seed, index));
  const keys = profileSeeds.flatMap((profileSeed) => [
    profileSeed,
    ...PURPOSES.flatMap((purpose) => [0, 1].map((generation) => deriveKey(profileSeed, purpose, generation))),
  ]);
  const binary = [seed, mnemonicToEntropy(words), ...keys].map((bytes) => Buffer.from(bytes));
  const encodings = ['hex', 'base64', 'base64url', 'latin1'] as const;
  const patterns = binary.flatMap((bytes) =>
    // Half of it is enough: no alignment of base 64 hides the middle of a secret.
    encodings.map((encoding) => Buffer.from(bytes.subarray(0, 15).toString(encoding), 'latin1')),
  );
  const texts = [...words.split(' '), ...passphrases, ...PLAINTEXTS];
  return new Map([
    ...patterns.map((pattern, i) => [`key ${i}`, pattern] as const),
    ...texts.flatMap((text) => [
      [text, Buffer.from(text)] as const,
      [`${text} in UTF-16`, Buffer.from(text, 'utf16le')] as const,
    ]),
  ]);
}

async function useEverything(directory: string): Promise<void> {
  const path = join(directory, 'keys', 'peer.keystore');
  using keystore = await createKeystore(path, {
    passphrase: passphrases[0],
    passwordHash,
    now: NOW,
    mnemonic: WORDS,
  });
  await keystore.profiles.create('work', { now: NOW });
  await keystore.profiles.create('play', { now: NOW });
  await keystore.profiles.switch('work');
  const { statement } = await keystore.profiles.rotate('work', { now: NOW });
  await writeFile(join(directory, 'rotation'), statement);
  await keystore.changePassphrase(passphrases[0], passphrases[1], { passwordHash });
  await writeFile(
    join(directory, 'export'),
    await keystore.exportEncrypted(passphrases[2], { passwordHash }),
  );
  await useStores(directory, keystore);
  await expect(keystore.unlock(passphrases[0])).rejects.toThrow();
  keystore.lock();
  using again = await openKeystore(path);
  await again.unlock(passphrases[1]);
  await again.profiles.remove('play');
}

async function useStores(directory: string, keystore: Keystore): Promise<void> {
  await using level = await openLevelStore(join(directory, 'store'));
  for (const { name, peerId } of keystore.profiles.list()) {
    using identity = keystore.identity(name);
    await using store = await openProfileStore(level, identity, { blindKeys: true });
    for (const text of PLAINTEXTS) await store.put(Buffer.from(text), Buffer.from(text), { sync: true });
    await store.namespace('trust').put(Buffer.from(PLAINTEXTS[1]!), Buffer.from('believed'));
    const card = createCard(identity, { now: NOW, name: 'Ada' });
    await writeFile(join(directory, `${name}.svg`), await cardToSvgQr(card));
    await writeFile(join(directory, `${name}.card`), card);
    const grant = delegate(identity, { audience: peerId, command: '/', expiresAt: NOW });
    await writeFile(join(directory, `${name}.delegation`), grant);
  }
}

describe('the data directory after everything was used', () => {
  it('holds no seed word, no private key, no passphrase and no stored plaintext', async () => {
    const directory = await temporaryDirectory();
    await useEverything(directory);
    const files = await filesBelow(directory);
    expect(files.size).toBeGreaterThan(10);
    const secrets = await secretsOf(WORDS);
    const found = [...files].flatMap(([path, content]) =>
      [...secrets].filter(([, secret]) => content.includes(secret)).map(([name]) => `${name} in ${path}`),
    );
    expect(found).toEqual([]);
  });

  it('would show a secret that was written: the search finds one', async () => {
    const directory = await temporaryDirectory();
    const seed = await seedFromMnemonic(WORDS);
    const key = Buffer.from(deriveKey(deriveProfileSeed(seed, 1), 'identity', 1));
    await writeFile(join(directory, 'leak'), JSON.stringify({ key: key.toString('base64') }));
    const secrets = [...(await secretsOf(WORDS)).values()];
    for (const content of (await filesBelow(directory)).values()) {
      expect(secrets.some((secret) => content.includes(secret))).toBe(true);
    }
  });
});
