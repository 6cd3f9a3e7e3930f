import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { checkSignatures, maySign, signersIn } from '../signatures.ts';

it('finds every way to Ed25519 past the helper', () => {
  for (const source of [
    "import { ed25519 } from '@nzcore/crypto';",
    "import { ed25519 as curve } from '@nzcore/crypto';",
    "import { sign } from 'node:crypto';",
    "import { createVerify } from 'node:crypto';",
    'const ok = primitives.ed25519.verify(a, b, c);',
    'await globalThis.crypto.subtle.sign(a, b, c);',
    "import * as crypto from 'node:crypto'; crypto.verify(null, a, b, c);",
  ]) {
    expect(signersIn(source), source).not.toEqual([]);
  }
});

it('lets signatures through the identity be', () => {
  for (const source of [
    "import { encodeSigned, sign, verify } from '@nzcore/identity';",
    "identity.sign('myapp/v1/note', bytes);",
    '// ed25519 in a comment\nconst text = "ed25519";',
  ]) {
    expect(signersIn(source), source).toEqual([]);
  }
});

it('knows the few files that are the helper, the primitive or the certificate', () => {
  expect(maySign('packages/identity/src/signed.ts')).toBe(true);
  expect(maySign('packages/crypto/src/handshake/certificate.ts')).toBe(true);
  for (const file of [
    'crypto/src/handshake/handshake',
    'identity/src/card',
    'transport/src/identity/src/signed',
  ]) {
    expect(maySign(`packages/${file}.ts`)).toBe(false);
  }
});

it('finds nothing in this repository', async () => {
  expect(await checkSignatures(fileURLToPath(new URL('../../', import.meta.url)))).toEqual([]);
});
