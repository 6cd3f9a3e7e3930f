import { equalBytes, type HashName } from '../src/index.ts';
import { expectRefusal, expectSame, verdictOf } from './expectation.ts';
import { bytesField, numberField } from './outcome.ts';
import type { Check } from './wycheproof.ts';

const HKDF: ReadonlyMap<string, HashName> = new Map([
  ['HKDF-SHA-256', 'sha256'],
  ['HKDF-SHA-512', 'sha512'],
]);
const HMAC: ReadonlyMap<string, HashName> = new Map([
  ['HMACSHA256', 'sha256'],
  ['HMACSHA512', 'sha512'],
]);

/** HKDF; undefined for a hash that is not offered. */
export function checkHkdf(name: string): Check | undefined {
  const hash = HKDF.get(name);
  if (hash === undefined) return undefined;
  return (primitives, _group, test) => {
    const options = {
      salt: bytesField(test, 'salt'),
      info: bytesField(test, 'info'),
      length: numberField(test, 'size'),
    };
    const derive = (): Uint8Array => primitives.hkdf(hash, bytesField(test, 'ikm'), options);
    if (verdictOf(test) === 'invalid') expectRefusal(derive, 'RangeError');
    else expectSame('the derived key', derive(), bytesField(test, 'okm'));
  };
}

/** HMAC, the tag cut to the group's size; undefined for a hash that is not offered. */
export function checkMac(name: string): Check | undefined {
  const hash = HMAC.get(name);
  if (hash === undefined) return undefined;
  return (primitives, group, test) => {
    const mac = primitives.hmac(hash, bytesField(test, 'key'), bytesField(test, 'msg'));
    const isValid = equalBytes(mac.subarray(0, numberField(group, 'tagSize') / 8), bytesField(test, 'tag'));
    if (isValid !== (verdictOf(test) === 'valid')) {
      throw new Error(isValid ? 'accepted an invalid tag' : 'refused a valid tag');
    }
  };
}
