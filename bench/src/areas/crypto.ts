import { type Area, type Contestant, compare, type Trial } from '../area.ts';
import { type AeadName, aeadContestants } from '../crypto/aeads.ts';
import { TURNS } from '../crypto/contestant.ts';
import { agreementContestants, signatureContestants } from '../crypto/curves.ts';
import { digestContestants, hkdfContestants, hmacContestants } from '../crypto/hashes.ts';
import { passwordContestants } from '../crypto/passwords.ts';
import { protocolTrials } from '../crypto/protocols.ts';

const SIZES: readonly (readonly [name: string, length: number])[] = [
  ['64', 64],
  ['1k', 1024],
  ['16k', 16_384],
  ['64k', 65_536],
];

function bySize(operation: string, contestants: (length: number) => Contestant[]): Trial[] {
  return SIZES.map(([name, length]) => single(`${operation}-${name}`, contestants(length)));
}

function aead(name: AeadName): Trial[] {
  return [
    ...bySize(`${name}-seal`, (length) => aeadContestants(name, 'seal', length)),
    ...bySize(`${name}-open`, (length) => aeadContestants(name, 'open', length)),
  ];
}

function single(name: string, contestants: Contestant[]): Trial {
  return { ...compare({ name, unit: 'us', better: 'lower' }, contestants), turns: TURNS };
}

/** One call is longer than all turns of the others. */
function slow(name: string, contestants: Contestant[]): Trial {
  return { ...single(name, contestants), turns: 3 };
}

/**
 * Each primitive by size beside node:crypto, raw libsodium and @noble. Everybody has its keys imported, a sealed
 * message is one array with the tag at its end, given and taken as such, and a result has its memory to itself.
 */
export const area: Area = {
  name: 'crypto',
  trials: [
    ...aead('chacha20poly1305'),
    ...aead('xchacha20poly1305'),
    ...aead('aes256gcm'),
    ...bySize('sha256', (length) => digestContestants('sha256', length)),
    ...bySize('sha512', (length) => digestContestants('sha512', length)),
    ...bySize('blake2b', (length) => digestContestants('blake2b', length)),
    ...bySize('hmac-sha256', (length) => hmacContestants('sha256', length)),
    ...bySize('hmac-sha512', (length) => hmacContestants('sha512', length)),
    single('hkdf-sha256', hkdfContestants()),
    single('ed25519-sign', signatureContestants('sign')),
    single('ed25519-verify', signatureContestants('verify')),
    single('ed25519-keypair', signatureContestants('generate')),
    single('x25519-shared', agreementContestants('shared')),
    single('x25519-keypair', agreementContestants('generate')),
    slow('argon2id-19mib', passwordContestants('argon2id')),
    slow('scrypt-16mib', passwordContestants('scrypt')),
    ...protocolTrials,
  ],
};
