import { beforeAll, describe, expect, it } from 'vitest';
import { type BackendName, createPrimitives } from '../src/index.ts';
import { runSodiumWorker } from '../src/node/sodium-worker.ts';

const utf8 = new TextEncoder();
const BACKENDS: readonly BackendName[] = ['auto', 'sodium', 'node'];
const cheapScrypt = { salt: new Uint8Array(16), N: 16, r: 8, p: 1, length: 32 };
const cheapArgon = { salt: new Uint8Array(16), memoryKiB: 64, iterations: 1, length: 32 };
const slowArgon = { ...cheapArgon, memoryKiB: 65_536, iterations: 3 };

beforeAll(() => createPrimitives('sodium').ready());

describe.each(BACKENDS)('password hashing on %s', (backend) => {
  const { scrypt, argon2id } = createPrimitives(backend);

  it('gives the third vector of RFC 7914 §12', async () => {
    const options = { salt: utf8.encode('SodiumChloride'), N: 16_384, r: 8, p: 1, length: 64 };
    const derived = await scrypt(utf8.encode('pleaseletmein'), options);
    expect(Buffer.from(derived).toString('hex')).toBe(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
        'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
    );
  });

  it('leaves the calling thread free', async () => {
    let turns = 0;
    const interval = setInterval(() => turns++, 1);
    await argon2id(utf8.encode('password'), slowArgon);
    clearInterval(interval);
    expect(turns).toBeGreaterThan(3);
  });

  it('rejects with the reason of the signal, before and while it runs', async () => {
    const reason = new Error('enough');
    const early = AbortSignal.abort(reason);
    await expect(scrypt(new Uint8Array(1), { ...cheapScrypt, signal: early })).rejects.toBe(reason);
    await expect(argon2id(new Uint8Array(1), { ...cheapArgon, signal: early })).rejects.toBe(reason);
    const controller = new AbortController();
    const running = [
      scrypt(new Uint8Array(1), { ...cheapScrypt, N: 2 ** 14, signal: controller.signal }),
      argon2id(new Uint8Array(1), { ...slowArgon, signal: controller.signal }),
    ];
    controller.abort(reason);
    await Promise.all(running.map((promise) => expect(promise).rejects.toBe(reason)));
  });

  it('does not change the password, and takes an empty one', async () => {
    const password = new Uint8Array([1, 2, 3]);
    await scrypt(password, cheapScrypt);
    await argon2id(password, cheapArgon);
    expect(password).toEqual(new Uint8Array([1, 2, 3]));
    expect(await argon2id(new Uint8Array(0), cheapArgon)).toHaveLength(32);
  });

  it.each([
    [{ N: 15 }],
    [{ N: 1 }],
    [{ r: 0 }],
    [{ p: 0 }],
    [{ length: 15 }],
    [{ length: 1025 }],
    [{ salt: new Uint8Array(7) }],
    [{ N: 2 ** 24, r: 8 }],
  ])('refuses the scrypt parameters %j', async (change) => {
    await expect(scrypt(new Uint8Array(1), { ...cheapScrypt, ...change })).rejects.toThrow(RangeError);
  });

  it.each([
    [{ memoryKiB: 7 }],
    [{ memoryKiB: 2 ** 22 }],
    [{ iterations: 0 }],
    [{ length: 15 }],
    [{ salt: new Uint8Array(15) }],
  ])('refuses the Argon2id parameters %j', async (change) => {
    await expect(argon2id(new Uint8Array(1), { ...cheapArgon, ...change })).rejects.toThrow(RangeError);
  });
});

it('gives PASSWORD_HASH_FAILED when libsodium refuses in the worker', async () => {
  const job = { kind: 'argon2id', password: new Uint8Array(1), ...cheapArgon, iterations: 0 } as const;
  await expect(runSodiumWorker(job)).rejects.toThrow(
    expect.objectContaining({ code: 'PASSWORD_HASH_FAILED' }),
  );
});
