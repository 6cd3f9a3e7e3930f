import { ready, SecretBytes, sha256 } from '@nzcore/crypto';
import { type FuzzTarget, refuses } from '../../../../checks/fuzz-engine.ts';
import { cardToUri, createCard, openCard } from '../../src/card.ts';
import {
  decodeDelegation,
  decodeRevocation,
  delegate,
  revoke,
  verifyDelegation,
} from '../../src/delegation.ts';
import {
  box,
  createMnemonic,
  type Identity,
  IdentityError,
  type IdentityErrorCode,
  identityFromSeed,
  parseMnemonic,
  parsePeerId,
} from '../../src/index.ts';
import { decodeContents, encodeContents } from '../../src/keystore/contents.ts';
import { decodeKeystoreFile, encodeKeystoreFile } from '../../src/keystore/file-format.ts';
import { createDataKey, sealContents } from '../../src/keystore/sealing.ts';
import {
  describeShare,
  signRecovery,
  signRotation,
  splitMnemonic,
  verifyRecovery,
  verifyRotation,
} from '../../src/recovery.ts';
import { exportSlip39, importSlip39 } from '../../src/slip39.ts';

const NOW = 1_800_000_000_000;
const DAY = 24 * 60 * 60 * 1000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

await ready();
const [alice, bob] = [1, 2].map((n) => identityFromSeed(new Uint8Array(32).fill(n))) as [Identity, Identity];
const words = createMnemonic({ words: 12 });

const card = createCard(alice, { now: NOW, name: 'Ada', addresses: ['/ip4/192.0.2.1/tcp/4001'] });
const delegation = delegate(alice, {
  audience: bob.peerId,
  command: '/storage/read',
  policy: [
    [
      'and',
      [
        ['like', '.path', '/a/*'],
        ['not', ['>', '.to[0]["size"]?', 5]],
      ],
    ],
  ],
  notBefore: NOW,
  expiresAt: NOW + DAY,
  meta: { device: 'laptop', tags: ['a', 1, null] },
});
const revocation = revoke(alice, { delegation: sha256(delegation), now: NOW });
const rotation = signRotation({ from: alice, to: bob, now: NOW });
const commitment = new Uint8Array(32);
const recovery = signRecovery({ from: alice.peerId, to: bob, recoveryKey: alice, now: NOW });

const refusesWith = (
  codes: readonly IdentityErrorCode[],
  decode: (input: Uint8Array) => unknown,
): FuzzTarget['run'] => refuses(IdentityError, codes, decode);

/** A decoder of text; the input's bytes are read as UTF-8. */
function ofText(decode: (text: string) => unknown): (input: Uint8Array) => unknown {
  return (input) => decode(decoder.decode(input));
}

/** Signs what was mutated, so that the decoder goes on behind the signature. */
function resigned(domain: string, decode: (input: Uint8Array) => unknown): (input: Uint8Array) => unknown {
  return (payload) => decode(Uint8Array.of(...payload, ...alice.sign(domain, payload)));
}

const withoutSignature = (signed: Uint8Array) => signed.slice(0, -64);

const contents = {
  seed: SecretBytes.from(new Uint8Array(64).fill(1)),
  entropy: SecretBytes.from(new Uint8Array(16).fill(2)),
  nextIndex: 3,
  active: 0,
  profiles: [
    { index: 0, name: 'default', generation: 0, createdAt: NOW },
    { index: 2, name: 'work', generation: 1, createdAt: NOW },
  ],
};
const keystoreFile = encodeKeystoreFile({
  passwordHash: { algorithm: 'scrypt', logN: 17, r: 8, p: 1 },
  passwordSalt: new Uint8Array(16),
  wrappedKey: new Uint8Array(48),
  ...sealContents(createDataKey(), contents),
});

function disposeAll({ seed, entropy }: ReturnType<typeof decodeContents>): void {
  seed.dispose();
  entropy?.dispose();
}

/** Every decoder of this package that takes bytes or text from outside. */
export const targets: readonly FuzzTarget[] = [
  {
    name: 'peer-id',
    seeds: [encoder.encode(alice.peerId), encoder.encode(`did:key:${bob.peerId}`)],
    run: refusesWith(['INVALID_PEER_ID'], ofText(parsePeerId)),
  },
  {
    name: 'mnemonic',
    seeds: [encoder.encode(words), encoder.encode(createMnemonic())],
    run: refusesWith(['INVALID_MNEMONIC'], ofText(parseMnemonic)),
  },
  {
    name: 'keystore-file',
    seeds: [keystoreFile],
    run: refusesWith(['INVALID_KEYSTORE'], decodeKeystoreFile),
  },
  {
    name: 'keystore-contents',
    seeds: [encodeContents(contents), encodeContents({ ...contents, entropy: undefined })],
    run: refusesWith(['INVALID_KEYSTORE'], (input) => disposeAll(decodeContents(input))),
  },
  {
    name: 'card',
    seeds: [card],
    run: refusesWith(['INVALID_CARD'], (input) => openCard(input, { now: NOW })),
  },
  {
    name: 'card-text',
    seeds: [encoder.encode(cardToUri(card))],
    run: refusesWith(
      ['INVALID_CARD'],
      ofText((text) => openCard(text, { now: NOW })),
    ),
  },
  {
    name: 'card-signed',
    seeds: [withoutSignature(card)],
    run: refusesWith(
      ['INVALID_CARD', 'CARD_EXPIRED', 'CARD_NOT_YET_VALID'],
      resigned('NZ-IDENTITY-01/card', (input) => openCard(input, { now: NOW })),
    ),
  },
  {
    name: 'delegation',
    seeds: [delegation],
    run: refusesWith(['INVALID_DELEGATION'], decodeDelegation),
  },
  {
    name: 'delegation-signed',
    seeds: [withoutSignature(delegation)],
    run: resigned('NZ-IDENTITY-01/delegation', (input) =>
      verifyDelegation([input], {
        invoker: bob.peerId,
        subject: alice.peerId,
        command: '/storage/read',
        args: { path: '/a/b', to: [{ size: 1 }] },
        now: NOW,
      }),
    ),
  },
  {
    name: 'revocation',
    seeds: [revocation],
    run: refusesWith(['INVALID_REVOCATION'], decodeRevocation),
  },
  {
    name: 'rotation',
    seeds: [rotation, recovery],
    run: refusesWith(['INVALID_STATEMENT'], verifyRotation),
  },
  {
    name: 'recovery',
    seeds: [recovery, rotation],
    run: refusesWith(['INVALID_STATEMENT'], (input) =>
      verifyRecovery(input, { peerId: alice.peerId, commitment }),
    ),
  },
  {
    name: 'share',
    seeds: (await splitMnemonic(words, { threshold: 2, shares: 3 })).map((share) => encoder.encode(share)),
    run: refusesWith(['INVALID_SHARE'], ofText(describeShare)),
  },
  {
    name: 'slip39-share',
    seeds: exportSlip39(words, { threshold: 2, shares: 3 }).map((share) => encoder.encode(share)),
    run: refusesWith(
      ['INVALID_SHARE', 'WRONG_SHARES'],
      ofText((text) => importSlip39([text])),
    ),
  },
  {
    name: 'box',
    seeds: [box(alice.peerId, encoder.encode('hello')), bob.box(alice.peerId, encoder.encode('hello'))],
    run: refusesWith(['INVALID_BOX'], (input) => alice.open(input)),
  },
];
