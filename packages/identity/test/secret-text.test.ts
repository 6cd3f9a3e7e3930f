import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { base64url, fromHex } from '../src/keystore/secret-text.ts';
import { createPassphraseFile, readKeyFile, readPassphrase } from '../src/keystore.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

describe('secrets as ASCII', () => {
  it('base64url is that of Node, for every digit and every length', () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i * 7);
    for (let length = 0; length <= 256; length++) {
      const bytes = all.subarray(0, length);
      expect(text(base64url(bytes))).toBe(Buffer.from(bytes).toString('base64url'));
    }
  });

  it('hexadecimal digits of both cases are read, and no other character', () => {
    const key = randomBytes(32);
    for (const digits of [key.toString('hex'), key.toString('hex').toUpperCase()]) {
      expect(fromHex(Buffer.from(digits), 32)).toEqual(new Uint8Array(key));
      expect(fromHex(Buffer.from(digits), 31)).toBeUndefined();
    }
    for (let code = 0; code < 256; code++) {
      const isDigit = /[0-9a-fA-F]/.test(String.fromCharCode(code));
      for (const digits of [Uint8Array.of(code, 48), Uint8Array.of(48, code)]) {
        expect(fromHex(digits, 1) !== undefined, String(code)).toBe(isDigit);
      }
    }
  });
});

describe('a secret of a file', () => {
  it('lies in memory of its own, and never in the pool that small Buffers share', async () => {
    const directory = await temporaryDirectory();
    const digits = new TextEncoder().encode(`${randomBytes(32).toString('hex')}\n`);
    await writeFile(join(directory, 'key'), digits, { mode: 0o600 });
    const path = join(directory, 'passphrase');
    const made = await createPassphraseFile(path);
    const secrets = [
      made,
      await readPassphrase([{ type: 'file', path }]),
      await readKeyFile(join(directory, 'key')),
    ];
    for (const secret of secrets) expect(secret.buffer.byteLength).toBe(secret.length);
    // The pool is where small Buffers lie; Node takes a new one when it is full, which a few tens of bytes do not make it.
    const { buffer } = Buffer.allocUnsafe(8);
    const pool = Buffer.from(buffer, 0, buffer.byteLength);
    for (const secret of [...secrets, digits.subarray(0, 64)]) {
      expect(pool.indexOf(secret as Buffer)).toBe(-1);
    }
  });
});
