import { HASH_LENGTH } from '../backend.ts';
import { EMPTY } from '../bytes.ts';
import type { HashName, IncrementalHash } from '../primitives.ts';
import { hmacBlake2b } from './hmac-blake2b.ts';
import type { SodiumLibrary } from './library.ts';
import { put, type Scratch, take, takeOutput, useScratch, withData, zero } from './scratch.ts';

/** A digest in one piece. */
export function hash(name: HashName, data: Uint8Array): Uint8Array {
  if (name === 'blake2b') return blake2b(data, HASH_LENGTH.blake2b, undefined);
  const area = useScratch();
  return withData(area, data.length, (address) => {
    put(area, address, data);
    DIGEST[name](area, address, data.length);
    return takeOutput(area, HASH_LENGTH[name]);
  });
}

type Digest = (area: Scratch, address: number, length: number) => void;

const DIGEST: Readonly<Record<'sha256' | 'sha512', Digest>> = {
  sha256: ({ library, output }, at, length) => void library._crypto_hash_sha256(output, at, length, 0),
  sha512: ({ library, output }, at, length) => void library._crypto_hash_sha512(output, at, length, 0),
};

/** BLAKE2b of any length, keyed or not (RFC 7693). */
export function blake2b(data: Uint8Array, length: number, key: Uint8Array = EMPTY): Uint8Array {
  const area = useScratch();
  return withData(area, data.length, (address) => {
    put(area, address, data);
    put(area, area.key, key);
    area.library._crypto_generichash(area.output, length, address, data.length, 0, area.key, key.length);
    zero(area, area.key, key.length);
    return takeOutput(area, length);
  });
}

/** HMAC (RFC 2104). */
export function hmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  return name === 'blake2b' ? hmacBlake2b(key, data) : hmacSha2(name, key, data);
}

function hmacSha2(name: 'sha256' | 'sha512', key: Uint8Array, data: Uint8Array): Uint8Array {
  const area = useScratch();
  return withData(area, key.length + data.length, (address) => {
    const { library, state, output } = area;
    const message = address + key.length;
    put(area, address, key);
    put(area, message, data);
    // Names of exports are written out: a key made from parts costs 100 ns a call.
    if (name === 'sha256') {
      library._crypto_auth_hmacsha256_init(state, address, key.length);
      library._crypto_auth_hmacsha256_update(state, message, data.length, 0);
      library._crypto_auth_hmacsha256_final(state, output);
    } else {
      library._crypto_auth_hmacsha512_init(state, address, key.length);
      library._crypto_auth_hmacsha512_update(state, message, data.length, 0);
      library._crypto_auth_hmacsha512_final(state, output);
    }
    return takeOutput(area, HASH_LENGTH[name]);
  });
}

interface Steps {
  stateLength(library: SodiumLibrary): number;
  init(area: Scratch): void;
  update(area: Scratch, address: number, length: number): void;
  final(area: Scratch): void;
}

const STEPS: Readonly<Record<HashName, Steps>> = {
  sha256: {
    stateLength: (library) => library._crypto_hash_sha256_statebytes(),
    init: ({ library, state }) => void library._crypto_hash_sha256_init(state),
    update: ({ library, state }, at, length) => void library._crypto_hash_sha256_update(state, at, length, 0),
    final: ({ library, state, output }) => void library._crypto_hash_sha256_final(state, output),
  },
  sha512: {
    stateLength: (library) => library._crypto_hash_sha512_statebytes(),
    init: ({ library, state }) => void library._crypto_hash_sha512_init(state),
    update: ({ library, state }, at, length) => void library._crypto_hash_sha512_update(state, at, length, 0),
    final: ({ library, state, output }) => void library._crypto_hash_sha512_final(state, output),
  },
  blake2b: {
    stateLength: (library) => library._crypto_generichash_statebytes(),
    init: ({ library, state }) => void library._crypto_generichash_init(state, 0, 0, HASH_LENGTH.blake2b),
    update: ({ library, state }, at, length) => void library._crypto_generichash_update(state, at, length, 0),
    final: ({ library, state, output }) =>
      void library._crypto_generichash_final(state, output, HASH_LENGTH.blake2b),
  },
};

/** An incremental hash; its state lives in its own array between the calls. */
export function createHash(name: HashName): IncrementalHash {
  const steps = STEPS[name];
  const first = useScratch();
  steps.init(first);
  let saved: Uint8Array | undefined = takeState(first, steps);
  const running: IncrementalHash = {
    update(data) {
      if (saved === undefined) throw new TypeError('the hash has already been computed');
      const area = useScratch();
      put(area, area.state, saved);
      withData(area, data.length, (address) => {
        put(area, address, data);
        steps.update(area, address, data.length);
      });
      saved.fill(0);
      saved = takeState(area, steps);
      return running;
    },
    digest() {
      if (saved === undefined) throw new TypeError('the hash has already been computed');
      const area = useScratch();
      put(area, area.state, saved);
      steps.final(area);
      zero(area, area.state, saved.length);
      saved.fill(0);
      saved = undefined;
      return takeOutput(area, HASH_LENGTH[name]);
    },
  };
  return running;
}

function takeState(area: Scratch, steps: Steps): Uint8Array {
  const length = steps.stateLength(area.library);
  const state = take(area, area.state, length);
  zero(area, area.state, length);
  return state;
}
