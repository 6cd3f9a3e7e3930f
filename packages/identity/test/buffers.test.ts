import { join } from 'node:path';
import { ready } from '@nzcore/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCard, openCard } from '../src/card.ts';
import { decodeDelegation, delegate } from '../src/delegation.ts';
import { box, createIdentity, decodeSigned, encodeSigned, identityFromSeed } from '../src/index.ts';
import { createKeystore, importKeystore, openKeystore } from '../src/keystore.ts';
import { temporaryDirectory } from './temporary-directory.ts';

// A Buffer is a Uint8Array whose slice() is a view: what is wiped or kept must not be the caller's memory.
const NOW = 1_800_000_000_000;
const passwordHash = { algorithm: 'scrypt', logN: 14, r: 8, p: 1 } as const;

beforeAll(ready);

describe('Buffers as bytes', () => {
  it('of a seed and a passphrase are copied, and stay as they are', async () => {
    const path = join(await temporaryDirectory(), 'keystore');
    const seed = Buffer.alloc(32, 7);
    const passphrase = Buffer.from('correct horse battery staple');
    using keystore = await createKeystore(path, { seed, passphrase, passwordHash, now: NOW });
    using identity = keystore.identity();
    using expected = identityFromSeed(new Uint8Array(32).fill(7));
    using ofBuffer = identityFromSeed(seed);
    expect(identity.peerId).toBe(expected.peerId);
    expect(ofBuffer.peerId).toBe(expected.peerId);
    using opened = await openKeystore(path);
    await opened.unlock(passphrase);
    await opened.changePassphrase(passphrase, passphrase, { passwordHash });
    expect(seed).toEqual(Buffer.alloc(32, 7));
    expect(passphrase.toString()).toBe('correct horse battery staple');
  });

  it('of a passphrase may be wiped as soon as the call returned its promise', async () => {
    const directory = await temporaryDirectory();
    const used: Buffer[] = [];
    const buffer = (text: string) => {
      used.push(Buffer.from(text));
      return used.at(-1)!;
    };
    const wiped = <T>(promise: Promise<T>): Promise<T> => {
      for (const bytes of used.splice(0)) bytes.fill(0);
      return promise;
    };
    const path = join(directory, 'keystore');
    using keystore = await wiped(
      createKeystore(path, { passphrase: buffer('first'), passwordHash, now: NOW }),
    );
    await wiped(keystore.unlock(buffer('first')));
    await wiped(keystore.changePassphrase(buffer('first'), buffer('second'), { passwordHash }));
    await keystore.unlock('second');
    await wiped(keystore.revealMnemonic(buffer('second')));
    const exported = await wiped(keystore.exportEncrypted(buffer('third'), { passwordHash }));
    using imported = await wiped(
      importKeystore(join(directory, 'copy'), exported, { passphrase: buffer('third') }),
    );
    expect(imported.profiles.list()).toEqual(keystore.profiles.list());
  });

  it('of an exported keystore may change after the import', async () => {
    const directory = await temporaryDirectory();
    using keystore = await createKeystore(join(directory, 'a'), { passphrase: 'x', passwordHash, now: NOW });
    const exported = Buffer.from(await keystore.exportEncrypted('y', { passwordHash }));
    using imported = await importKeystore(join(directory, 'b'), exported, { passphrase: 'y' });
    exported.fill(0);
    await imported.changePassphrase('y', 'z', { passwordHash });
    await imported.unlock('z');
  });

  it('of cards, delegations, signed structures and boxes may change after they were read', () => {
    using identity = createIdentity();
    const card = Buffer.from(createCard(identity, { now: NOW }));
    const opened = openCard(card, { now: NOW });
    const grant = Buffer.from(
      delegate(identity, { audience: identity.peerId, command: '/', expiresAt: NOW }),
    );
    const delegation = decodeDelegation(grant);
    const nonce = Buffer.from(delegation.nonce).toString('hex');
    const note = Buffer.from(encodeSigned('app/v1', [Uint8Array.of(1, 2, 3)], identity));
    const signed = decodeSigned('app/v1', note, { maxBytes: 1000, signers: () => [identity.publicKey] });
    const sealed = Buffer.from(box(identity.peerId, Buffer.from('hello')));
    const { message } = identity.open(sealed);
    for (const buffer of [card, grant, note, sealed]) buffer.fill(0);
    expect(opened.staticKey).toEqual(identity.keyAgreementPublicKey);
    expect(Buffer.from(delegation.nonce).toString('hex')).toBe(nonce);
    expect(signed?.fields).toEqual([Uint8Array.of(1, 2, 3)]);
    expect(signed?.payload[0]).toBe(0x91);
    expect(Buffer.from(message).toString()).toBe('hello');
  });
});
