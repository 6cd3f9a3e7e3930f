/** Makes spec/vectors/identity.json: tsx --conditions=@nzcore/source packages/identity/scripts/vectors.ts */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ready } from '@nzcore/crypto';
import { cardToText, cardToUri, createCard } from '../src/card.ts';
import { decodeDelegation, delegate, type Policy, revoke } from '../src/delegation.ts';
import {
  box,
  dhtKey,
  encodeSigned,
  formatDidKey,
  type Identity,
  identityFromSeed,
  safetyNumber,
  seedFromMnemonic,
} from '../src/index.ts';
import { deriveKey, deriveProfileSeed, type KeyPurpose } from '../src/key-schedule.ts';
import { createKeystore } from '../src/keystore.ts';
import {
  recoveryCommitmentOf,
  recoveryKeyFromMnemonic,
  signRecovery,
  signRecoveryCommitment,
  signRotation,
  splitMnemonic,
} from '../src/recovery.ts';
import { exportSlip39 } from '../src/slip39.ts';

const MNEMONIC = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
const RECOVERY_MNEMONIC = 'zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong';
const PASSPHRASE = 'TREZOR';
const NOW = 1_800_000_000_000;
const PURPOSES: readonly KeyPurpose[] = [
  'identity',
  'key-agreement',
  'storage',
  'storage-namespace',
  'recovery',
];
const FILE = new URL('../../../spec/vectors/identity.json', import.meta.url);

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const MESSAGE = new TextEncoder().encode('hello');

/** The part of the vectors that the inputs decide. */
export async function deterministicVectors(): Promise<Record<string, unknown>> {
  await ready();
  const seed = await seedFromMnemonic(MNEMONIC, { passphrase: PASSPHRASE });
  using alice = identityFromSeed(seed);
  using work = identityFromSeed(deriveProfileSeed(seed, 1));
  using rotated = identityFromSeed(seed, { generation: 1 });
  return {
    mnemonic: MNEMONIC,
    passphrase: PASSPHRASE,
    seed: toHex(seed),
    now: NOW,
    profiles: [0, 1, 2].map((index) => profileVector(seed, index)),
    signature: {
      domain: 'NZ-TEST-01/message',
      message: toHex(MESSAGE),
      signature: toHex(alice.sign('NZ-TEST-01/message', MESSAGE)),
    },
    signed: {
      domain: 'NZ-TEST-01/structure',
      fields: [1, 'text', null, true, [2]],
      bytes: toHex(encodeSigned('NZ-TEST-01/structure', [1, 'text', null, true, [2]], alice)),
    },
    certificate: certificateVector(alice),
    card: cardVector(alice),
    delegation: delegationVector(alice, work),
    ...(await successionVectors(alice, rotated)),
    safetyNumber: { one: alice.peerId, other: work.peerId, number: safetyNumber(alice.peerId, work.peerId) },
  };
}

/** Inputs that differ each time they are made; what they open to is what is fixed. */
export async function openingVectors(): Promise<Record<string, unknown>> {
  const seed = await seedFromMnemonic(MNEMONIC, { passphrase: PASSPHRASE });
  using alice = identityFromSeed(seed);
  using work = identityFromSeed(deriveProfileSeed(seed, 1));
  return {
    box: {
      recipient: alice.peerId,
      context: 'NZ-TEST-01',
      message: toHex(MESSAGE),
      anonymous: toHex(box(alice.peerId, MESSAGE, { context: 'NZ-TEST-01' })),
      from: work.peerId,
      authenticated: toHex(work.box(alice.peerId, MESSAGE, { context: 'NZ-TEST-01' })),
    },
    shares: { threshold: 2, shares: await splitMnemonic(MNEMONIC, { threshold: 2, shares: 3 }) },
    slip39: { threshold: 2, shares: exportSlip39(MNEMONIC, { threshold: 2, shares: 3 }) },
    keystore: await keystoreVector(),
  };
}

function profileVector(seed: Uint8Array, index: number): Record<string, unknown> {
  const profileSeed = deriveProfileSeed(seed, index);
  const generations = [0, 1].map((generation) => {
    using identity = identityFromSeed(profileSeed, { generation });
    return {
      generation,
      identityKey: toHex(deriveKey(profileSeed, 'identity', generation)),
      keyAgreementKey: toHex(deriveKey(profileSeed, 'key-agreement', generation)),
      publicKey: toHex(identity.publicKey),
      keyAgreementPublicKey: toHex(identity.keyAgreementPublicKey),
      peerId: identity.peerId,
      did: formatDidKey(identity.peerId),
      dhtKey: toHex(dhtKey(identity.peerId)),
    };
  });
  const keys = Object.fromEntries(
    PURPOSES.map((purpose) => [purpose, toHex(deriveKey(profileSeed, purpose))]),
  );
  using identity = identityFromSeed(profileSeed);
  return { index, seed: toHex(profileSeed), keys, storageNamespace: identity.storageNamespace, generations };
}

function certificateVector(alice: Identity): Record<string, unknown> {
  const { staticKeyPair, certificate } = alice.handshakeIdentity(NOW);
  return {
    staticKey: toHex(staticKeyPair.publicKey),
    expiresAt: certificate.expiresAt,
    signature: toHex(certificate.signature),
  };
}

function cardVector(alice: Identity): Record<string, unknown> {
  const fields = {
    name: 'Ada Lovelace',
    addresses: ['/ip4/192.0.2.1/tcp/4001', '/dns/peer.example.org/tcp/443/wss'],
    lifetimeMs: 90 * 24 * 60 * 60 * 1000,
  };
  const card = createCard(alice, { now: NOW, ...fields });
  return { ...fields, bytes: toHex(card), text: cardToText(card), uri: cardToUri(card) };
}

function delegationVector(alice: Identity, work: Identity): Record<string, unknown> {
  const policy: Policy = [['like', '.path', '/photos/*']];
  const nonce = new Uint8Array(16).fill(1);
  const expiresAt = NOW + 3_600_000;
  const meta = { device: 'laptop' };
  const bytes = delegate(alice, {
    audience: work.peerId,
    command: '/storage',
    policy,
    nonce,
    expiresAt,
    meta,
  });
  const { id } = decodeDelegation(bytes);
  return {
    issuer: alice.peerId,
    audience: work.peerId,
    command: '/storage',
    policy,
    nonce: toHex(nonce),
    expiresAt,
    meta,
    bytes: toHex(bytes),
    id: toHex(id),
    revocation: toHex(revoke(alice, { delegation: id, now: NOW })),
  };
}

async function successionVectors(alice: Identity, rotated: Identity): Promise<Record<string, unknown>> {
  using recoveryKey = await recoveryKeyFromMnemonic(RECOVERY_MNEMONIC);
  const { publicKey } = recoveryKey;
  return {
    rotation: {
      from: alice.peerId,
      to: rotated.peerId,
      bytes: toHex(signRotation({ from: alice, to: rotated, now: NOW })),
    },
    recovery: {
      mnemonic: RECOVERY_MNEMONIC,
      recoveryKey: toHex(publicKey),
      commitment: toHex(recoveryCommitmentOf(publicKey)),
      promise: toHex(signRecoveryCommitment(alice, { recoveryPublicKey: publicKey, now: NOW })),
      bytes: toHex(signRecovery({ from: alice.peerId, to: rotated, recoveryKey, now: NOW })),
    },
  };
}

async function keystoreVector(): Promise<Record<string, unknown>> {
  const directory = await mkdtemp(join(tmpdir(), 'nz-vectors-'));
  try {
    const path = join(directory, 'peer.keystore');
    const passwordHash = { algorithm: 'scrypt', logN: 14, r: 8, p: 1 } as const;
    const passphrase = 'correct horse battery staple';
    using keystore = await createKeystore(path, {
      passphrase,
      passwordHash,
      now: NOW,
      mnemonic: MNEMONIC,
      mnemonicPassphrase: PASSPHRASE,
    });
    await keystore.profiles.create('work', { now: NOW });
    return {
      passphrase,
      profiles: keystore.profiles.list().map(({ name, index, peerId }) => ({ name, index, peerId })),
      file: toHex(await readFile(path)),
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const vectors = { ...(await deterministicVectors()), ...(await openingVectors()) };
  await writeFile(FILE, `${JSON.stringify(vectors, null, 2)}\n`);
}
