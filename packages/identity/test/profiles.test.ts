import { join } from 'node:path';
import type { KeyValueStore } from '@nzcore/storage';
import { openLevelStore } from '@nzcore/storage/level';
import { createMemoryStore } from '@nzcore/storage/memory';
import { describe, expect, it } from 'vitest';
import { identityFromMnemonic } from '../src/index.ts';
import { createKeystore, type Keystore, openKeystore, type PasswordHash } from '../src/keystore.ts';
import { openProfileStore } from '../src/profile-store.ts';
import { verifyRotation } from '../src/recovery.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const NOW = 1_800_000_000_000;
const WORDS = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
const passwordHash: PasswordHash = { algorithm: 'scrypt', logN: 14, r: 8, p: 1 };
const passphrase = 'correct horse battery staple';
const code = (value: string) => expect.objectContaining({ code: value });
const text = (value: string) => new TextEncoder().encode(value);

async function newKeystore(): Promise<Keystore> {
  const path = join(await temporaryDirectory(), 'peer.keystore');
  return createKeystore(path, { passphrase, passwordHash, now: NOW, mnemonic: WORDS });
}

async function everything(store: Pick<KeyValueStore, 'iterate'>): Promise<string[]> {
  const found: string[] = [];
  for await (const [key, value] of store.iterate()) {
    found.push(Buffer.from(key).toString('latin1'), Buffer.from(value).toString('latin1'));
  }
  return found;
}

describe('profiles', () => {
  it('are created, listed, switched and removed, and survive a restart', async () => {
    using keystore = await newKeystore();
    const work = await keystore.profiles.create('work', { now: NOW + 1 });
    expect(work).toMatchObject({
      name: 'work',
      index: 1,
      generation: 0,
      createdAt: NOW + 1,
      isActive: false,
    });
    expect((await keystore.profiles.switch('work')).isActive).toBe(true);
    using active = keystore.identity();
    expect(active.peerId).toBe(work.peerId);
    using opened = await openKeystore(keystore.path);
    await opened.unlock(passphrase);
    expect(opened.profiles.list()).toEqual(keystore.profiles.list());
    await opened.profiles.remove('default');
    expect(opened.profiles.list().map(({ name }) => name)).toEqual(['work']);
    expect(() => opened.identity('default')).toThrow(code('UNKNOWN_PROFILE'));
  });

  it('have keys that nothing has in common, all from the same words', async () => {
    using keystore = await newKeystore();
    await keystore.profiles.create('work', { now: NOW });
    using first = keystore.identity('default');
    using second = keystore.identity('work');
    using ofWords = await identityFromMnemonic(WORDS);
    expect(first.peerId).toBe(ofWords.peerId);
    expect(second.peerId).not.toBe(first.peerId);
    expect(second.keyAgreementPublicKey).not.toEqual(first.keyAgreementPublicKey);
    expect(second.storageNamespace).not.toBe(first.storageNamespace);
    using firstKey = first.storageKey();
    using secondKey = second.storageKey();
    firstKey.use((a) => secondKey.use((b) => expect(a).not.toEqual(b)));
  });

  it('come back from the words by their index, which is never used again', async () => {
    using keystore = await newKeystore();
    const work = await keystore.profiles.create('work', { now: NOW });
    await keystore.profiles.remove('work');
    const next = await keystore.profiles.create('next', { now: NOW });
    expect(next.index).toBe(2);
    expect(next.peerId).not.toBe(work.peerId);
    using restored = await newKeystore();
    const again = await restored.profiles.create('work again', { now: NOW, index: 1 });
    expect(again.peerId).toBe(work.peerId);
    const far = await restored.profiles.create('far', { now: NOW, index: 41 });
    expect(far.index).toBe(41);
    expect((await restored.profiles.create('after', { now: NOW })).index).toBe(42);
  });

  it('have unique names of visible characters', async () => {
    using keystore = await newKeystore();
    await keystore.profiles.create('work', { now: NOW });
    await expect(keystore.profiles.create('work', { now: NOW })).rejects.toThrow(code('PROFILE_EXISTS'));
    await expect(keystore.profiles.create('other', { now: NOW, index: 1 })).rejects.toThrow(
      code('PROFILE_EXISTS'),
    );
    for (const name of ['', 'a\nb', 'x'.repeat(65), '\ud800', '\u2028']) {
      await expect(keystore.profiles.create(name, { now: NOW })).rejects.toThrow(RangeError);
    }
    for (const index of [-1, 1.5, 2 ** 32]) {
      await expect(keystore.profiles.create('n', { now: NOW, index })).rejects.toThrow(RangeError);
    }
    await expect(keystore.profiles.switch('nobody')).rejects.toThrow(code('UNKNOWN_PROFILE'));
    await expect(keystore.profiles.remove('nobody')).rejects.toThrow(code('UNKNOWN_PROFILE'));
    await expect(keystore.profiles.rotate('nobody', { now: NOW })).rejects.toThrow(code('UNKNOWN_PROFILE'));
    await expect(keystore.profiles.remove('default')).rejects.toThrow(code('PROFILE_ACTIVE'));
  });

  it('are all made when they are asked for at once', async () => {
    using keystore = await newKeystore();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await Promise.all(names.map((name) => keystore.profiles.create(name, { now: NOW })));
    expect(keystore.profiles.list().map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('get new keys by a rotation that both keys signed, and keep what they stored', async () => {
    using keystore = await newKeystore();
    using before = keystore.identity();
    await using base = createMemoryStore();
    await using mine = await openProfileStore(base, before);
    await mine.put(text('k'), text('v'));
    await mine[Symbol.asyncDispose]();
    const { profile, statement } = await keystore.profiles.rotate('default', { now: NOW });
    expect(verifyRotation(statement)).toEqual({
      kind: 'rotation',
      from: before.peerId,
      to: profile.peerId,
      issuedAt: NOW,
    });
    using after = keystore.identity();
    expect(after.peerId).toBe(profile.peerId);
    expect(profile.generation).toBe(1);
    using ofWords = await identityFromMnemonic(WORDS, { generation: 1 });
    expect(after.peerId).toBe(ofWords.peerId);
    await using again = await openProfileStore(base, after);
    expect(await again.get(text('k'))).toEqual(text('v'));
  });

  it('give the statement of their last rotation again', async () => {
    using keystore = await newKeystore();
    expect(keystore.profiles.rotationStatement('default', { now: NOW })).toBeUndefined();
    await keystore.profiles.rotate('default', { now: NOW });
    const { statement, profile } = await keystore.profiles.rotate('default', { now: NOW + 1 });
    expect(profile.generation).toBe(2);
    expect(keystore.profiles.rotationStatement('default', { now: NOW + 1 })).toEqual(statement);
    expect(() => keystore.profiles.rotationStatement('nobody', { now: NOW })).toThrow(
      code('UNKNOWN_PROFILE'),
    );
  });

  it('come back from the words with the keys of their last rotation', async () => {
    using keystore = await newKeystore();
    const { profile } = await keystore.profiles.rotate('default', { now: NOW });
    await keystore.profiles.create('work', { now: NOW });
    const work = await keystore.profiles.rotate('work', { now: NOW });
    const path = join(await temporaryDirectory(), 'restored');
    const options = { passphrase, passwordHash, now: NOW, mnemonic: WORDS };
    using restored = await createKeystore(path, { ...options, generation: 1 });
    using identity = restored.identity();
    expect(identity.peerId).toBe(profile.peerId);
    const again = await restored.profiles.create('work', { now: NOW, index: 1, generation: 1 });
    expect(again.peerId).toBe(work.profile.peerId);
    await expect(createKeystore(`${path}2`, { ...options, generation: -1 })).rejects.toThrow(RangeError);
    await expect(restored.profiles.create('x', { now: NOW, generation: 0.5 })).rejects.toThrow(RangeError);
  });

  it('cannot number more than 256', async () => {
    using keystore = await newKeystore();
    const names = Array.from({ length: 255 }, (_, i) => `${'n'.repeat(60)}${i}`);
    for (const name of names) await keystore.profiles.create(name, { now: NOW });
    await expect(keystore.profiles.create('one more', { now: NOW })).rejects.toThrow(
      code('TOO_MANY_PROFILES'),
    );
    using opened = await openKeystore(keystore.path);
    await opened.unlock(passphrase);
    expect(opened.profiles.list()).toHaveLength(256);
  });
});

describe('a profile’s store', () => {
  it('cannot be read by another profile’s handle, nor with its key', async () => {
    using keystore = await newKeystore();
    await keystore.profiles.create('work', { now: NOW });
    await using level = await openLevelStore(join(await temporaryDirectory(), 'db'));
    using home = keystore.identity('default');
    using work = keystore.identity('work');
    await using homeStore = await openProfileStore(level, home);
    await using workStore = await openProfileStore(level, work);
    await homeStore.put(text('diary'), text('a secret of home'));
    await homeStore.namespace('trust').put(text('peer'), text('trusted by home'));
    await workStore.put(text('diary'), text('a secret of work'));

    // Neither sees the other's entries by any key or walk.
    expect(await everything(workStore)).toEqual(['diary', 'a secret of work']);
    expect(await everything(workStore.namespace('trust'))).toEqual([]);
    expect(await workStore.namespace('trust').get(text('peer'))).toBeUndefined();
    expect(await everything(homeStore)).toEqual(['diary', 'a secret of home']);
    await workStore.delete(text('diary'));
    expect(await homeStore.get(text('diary'))).toEqual(text('a secret of home'));

    // The other's key does not open it, even over the very same base.
    const { openEncryptedStore } = await import('@nzcore/storage');
    using workKey = work.storageKey();
    await homeStore[Symbol.asyncDispose]();
    const stolen = level.namespace(home.storageNamespace);
    await expect(openEncryptedStore(stolen, { key: workKey })).rejects.toThrow(code('WRONG_KEY'));
  });

  it('is refused for a disposed identity', async () => {
    using keystore = await newKeystore();
    const identity = keystore.identity();
    identity[Symbol.dispose]();
    await expect(openProfileStore(createMemoryStore(), identity)).rejects.toThrow(code('DISPOSED'));
  });
});
