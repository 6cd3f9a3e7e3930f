import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SecretBytes } from '../src/index.ts';

const disposed = expect.objectContaining({ name: 'CryptoError', code: 'DISPOSED' });

describe('SecretBytes', () => {
  it('takes the bytes over: the argument is zeroed, and nothing is shared', () => {
    const given = new Uint8Array([1, 2, 3]);
    const secret = SecretBytes.from(given);
    expect(given).toEqual(new Uint8Array(3));
    given.fill(9);
    expect(secret.use((bytes) => [...bytes])).toEqual([1, 2, 3]);
    expect(secret.length).toBe(3);
  });

  it('zeroes its memory on dispose and refuses every use afterwards', () => {
    const secret = SecretBytes.from(new Uint8Array([1, 2, 3]));
    const lent = secret.use((bytes) => bytes);
    secret.dispose();
    secret.dispose();
    expect(lent).toEqual(new Uint8Array(3));
    expect(secret.isDisposed).toBe(true);
    expect(() => secret.use(() => 0)).toThrow(disposed);
    expect(() => secret.length).toThrow(disposed);
    expect(() => secret.clone()).toThrow(disposed);
  });

  it('is disposed of by using', () => {
    let outside: SecretBytes;
    {
      using secret = SecretBytes.from(new Uint8Array(4));
      outside = secret;
    }
    expect(outside.isDisposed).toBe(true);
  });

  it('has clones that live on their own', () => {
    const secret = SecretBytes.from(new Uint8Array([5]));
    const clone = secret.clone();
    secret.dispose();
    expect(clone.use((bytes) => bytes[0])).toBe(5);
  });

  it('never prints what it holds', () => {
    const secret = SecretBytes.from(new Uint8Array(8).fill(0xab));
    const texts = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect(secret, { showHidden: true, depth: 9 }),
      inspect({ nested: [secret] }),
      Object.keys(secret).join(),
      JSON.stringify(Object.getOwnPropertyDescriptors(secret)),
      JSON.stringify(structuredClone({ ...secret })),
    ];
    for (const text of texts) expect(text).not.toMatch(/ab|171/i);
    expect(String(secret)).toBe('[SecretBytes]');
  });

  it('refuses what is no byte array', () => {
    expect(() => SecretBytes.from('secret' as unknown as Uint8Array)).toThrow(TypeError);
  });
});
