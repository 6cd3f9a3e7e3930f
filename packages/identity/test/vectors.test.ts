import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deterministicVectors } from '../scripts/vectors.ts';
import { openCard } from '../src/card.ts';
import { decodeRevocation } from '../src/delegation.ts';
import { identityFromMnemonic, type PeerId } from '../src/index.ts';
import { openKeystore } from '../src/keystore.ts';
import { joinShares, verifyRecovery, verifyRecoveryCommitment, verifyRotation } from '../src/recovery.ts';
import { importSlip39 } from '../src/slip39.ts';
import { temporaryDirectory } from './temporary-directory.ts';

interface Vectors {
  mnemonic: string;
  passphrase: string;
  now: number;
  card: { uri: string };
  delegation: { revocation: string; id: string };
  rotation: { from: PeerId; to: PeerId; bytes: string };
  recovery: { commitment: string; promise: string; bytes: string };
  box: { context: string; message: string; anonymous: string; from: PeerId; authenticated: string };
  shares: { shares: string[] };
  slip39: { shares: string[] };
  keystore: { passphrase: string; profiles: { name: string; index: number; peerId: PeerId }[]; file: string };
}

const FILE = new URL('../../../spec/vectors/identity.json', import.meta.url);
const vectors = JSON.parse(await readFile(FILE, 'utf8')) as Vectors;
const fromHex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));

describe('spec/vectors/identity.json', () => {
  it('has what this implementation derives, signs and encodes', async () => {
    expect(vectors).toMatchObject(await deterministicVectors());
  });

  it('has statements that verify', () => {
    const { card, delegation, rotation, recovery, now } = vectors;
    expect(openCard(card.uri, { now }).peerId).toBe(rotation.from);
    expect(Buffer.from(decodeRevocation(fromHex(delegation.revocation)).delegation).toString('hex')).toBe(
      delegation.id,
    );
    expect(verifyRotation(fromHex(rotation.bytes))).toMatchObject({ from: rotation.from, to: rotation.to });
    const promise = verifyRecoveryCommitment(fromHex(recovery.promise));
    expect(promise.commitment).toEqual(fromHex(recovery.commitment));
    expect(verifyRecovery(fromHex(recovery.bytes), promise)).toMatchObject({ to: rotation.to });
  });

  it('has boxes that open, and shares that bring the words back', async () => {
    const { mnemonic, passphrase, box, shares, slip39 } = vectors;
    using identity = await identityFromMnemonic(mnemonic, { passphrase });
    const { context } = box;
    const message = fromHex(box.message);
    expect(identity.open(fromHex(box.anonymous), { context })).toEqual({ message });
    expect(identity.open(fromHex(box.authenticated), { context })).toEqual({ message, from: box.from });
    expect(await joinShares(shares.shares.slice(1))).toBe(mnemonic);
    expect(importSlip39(slip39.shares.slice(1))).toBe(mnemonic);
  });

  it('has a keystore file that unlocks', async () => {
    const path = join(await temporaryDirectory(), 'peer.keystore');
    await writeFile(path, fromHex(vectors.keystore.file), { mode: 0o600 });
    using keystore = await openKeystore(path);
    await keystore.unlock(vectors.keystore.passphrase);
    expect(keystore.profiles.list()).toMatchObject(vectors.keystore.profiles);
    expect(await keystore.revealMnemonic(vectors.keystore.passphrase)).toBe(vectors.mnemonic);
  });
});
