import { setTimeout as delay, setImmediate as tick } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createKeyPairPool } from '../src/node/key-pair-pool.ts';

it('hands out every key pair once, and makes the next ones later, a few and no more', async () => {
  let made = 0;
  const pool = createKeyPairPool(() => ({
    publicKey: Uint8Array.of(++made),
    secretKey: Uint8Array.of(made),
  }));
  const first = pool.take();
  expect(made).toBe(1);
  for (let turn = 0; turn < 20; turn++) await tick();
  expect(made).toBe(5);
  const taken = [first, ...Array.from({ length: 9 }, () => pool.take())];
  expect(new Set(taken.map(({ publicKey }) => publicKey[0])).size).toBe(10);
});

it('hands out nothing that a copy of the memory from a second ago holds, and zeroes it', async () => {
  let time = 0;
  const made: Uint8Array[] = [];
  const generate = () => {
    const secretKey = Uint8Array.of(made.length + 1);
    made.push(secretKey);
    return { publicKey: secretKey.slice(), secretKey };
  };
  const pool = createKeyPairPool(generate, () => time);
  pool.take();
  for (let turn = 0; turn < 20; turn++) await tick();
  time = 999;
  expect(pool.take().publicKey).toEqual(Uint8Array.of(5));
  time = 1_000;
  expect(pool.take().publicKey).toEqual(Uint8Array.of(6));
  expect(made.slice(1, 4)).toEqual([Uint8Array.of(0), Uint8Array.of(0), Uint8Array.of(0)]);
});

it('makes the next ones while nothing happens, not when something does', async () => {
  const key = () => ({ publicKey: new Uint8Array(32), secretKey: new Uint8Array(32) });
  const made: number[] = [];
  const pool = createKeyPairPool(() => {
    made.push(performance.now());
    return key();
  });
  const before = performance.now();
  pool.take();
  await delay(400);
  expect(made).toHaveLength(5);
  expect(made.every((at) => at - before < 300)).toBe(true);
});
