import type { Primitives } from '../src/index.ts';
import { expectRefusal, expectSame, verdictOf } from './expectation.ts';
import { bytesField, type Fields, isFields, VectorFileError } from './outcome.ts';

/** Ed25519: the answer is the verdict, nothing is ever thrown. */
export function checkSignature(primitives: Primitives, group: Fields, test: Fields): void {
  const key = group['publicKey'] ?? group['key'];
  if (!isFields(key)) throw new VectorFileError('the group has no publicKey');
  const isValid = primitives.ed25519.verify(
    bytesField(test, 'sig'),
    bytesField(test, 'msg'),
    bytesField(key, 'pk'),
  );
  if (isValid !== (verdictOf(test) === 'valid')) {
    throw new Error(isValid ? 'accepted an invalid signature' : 'refused a valid signature');
  }
}

/** X25519: an all-zero result is refused; every other `acceptable` one (twist, non-canonical) is computed. */
export function checkAgreement(primitives: Primitives, _group: Fields, test: Fields): void {
  const publicKey = bytesField(test, 'public');
  const shared = bytesField(test, 'shared');
  const agree = (): Uint8Array => primitives.x25519.sharedSecret(bytesField(test, 'private'), publicKey);
  if (publicKey.length !== 32) expectRefusal(agree, 'RangeError');
  else if (verdictOf(test) === 'invalid' || shared.every((byte) => byte === 0))
    expectRefusal(agree, 'INVALID_KEY');
  else expectSame('the shared secret', agree(), shared);
}
