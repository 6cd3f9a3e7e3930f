import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadKeyring } from '../src/keystore/keychain.ts';
import { deleteKeychain, IdentityError, readPassphrase, writeKeychain } from '../src/keystore.ts';

const code = (value: string) => expect.objectContaining({ code: value });
const entry = { service: `nzcore-test-${randomUUID()}`, account: 'peer' };

describe('keychain of the operating system', () => {
  // Elsewhere the keychain belongs to a person at a screen, who would be asked.
  it.runIf(process.platform === 'linux')(
    'holds a passphrase, or says that there is no keychain',
    async () => {
      const unavailable = await writeKeychain(entry, 'secret').catch((error: unknown) => error);
      if (unavailable === undefined) {
        const passphrase = await readPassphrase([{ type: 'keychain', ...entry }]);
        expect(new TextDecoder().decode(passphrase)).toBe('secret');
        await deleteKeychain(entry);
        await deleteKeychain(entry);
        await expect(readPassphrase([{ type: 'keychain', ...entry }])).rejects.toThrow(
          code('PASSPHRASE_UNAVAILABLE'),
        );
      } else {
        // A container forbids the kernel's key service.
        expect(unavailable).toBeInstanceOf(IdentityError);
        expect(unavailable).toEqual(code('KEYCHAIN_UNAVAILABLE'));
        await expect(readPassphrase([{ type: 'keychain', ...entry }])).rejects.toThrow(IdentityError);
      }
    },
  );

  it('asks for the optional package when it is not installed', async () => {
    const missing = 'a-package-that-nobody-installed';
    await expect(loadKeyring(() => import(missing))).rejects.toMatchObject({
      code: 'KEYCHAIN_UNAVAILABLE',
      message: expect.stringContaining('@napi-rs/keyring'),
    });
  });
});
