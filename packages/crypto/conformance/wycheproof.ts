import type { Primitives } from '../src/index.ts';
import {
  type Fields,
  isFields,
  listField,
  type Outcome,
  passed,
  textField,
  VectorFileError,
} from './outcome.ts';
import { checkAead, nameOfUnofferedAead } from './wycheproof-aead.ts';
import { checkAgreement, checkSignature } from './wycheproof-curves.ts';
import { checkHkdf, checkMac } from './wycheproof-hash.ts';

/** Checks one vector; throws what is wrong with our answer. */
export type Check = (primitives: Primitives, group: Fields, test: Fields) => void;

/** Checks every vector of a Wycheproof file on every one of the given backends. @throws VectorFileError */
export function runWycheproof(file: unknown, backends: readonly Primitives[]): Outcome[] {
  if (!isFields(file) || !('testGroups' in file)) {
    throw new VectorFileError('this is no Wycheproof file: it has no testGroups');
  }
  const algorithm = textField(file, 'algorithm');
  const groups = listField(file, 'testGroups');
  return groups.flatMap((group) => runGroup(algorithm, group, backends));
}

function runGroup(algorithm: string, group: Fields, backends: readonly Primitives[]): Outcome[] {
  const tests = listField(group, 'tests');
  const selected = selectCheck(algorithm, group, tests);
  if (typeof selected === 'string') return tests.map(() => ({ kind: 'skipped', algorithm: selected }));
  return tests.map((test) => runTest(selected, group, test, backends));
}

/** The check for a group, or the name of what the package does not offer. */
function selectCheck(algorithm: string, group: Fields, tests: readonly Fields[]): Check | string {
  const type = textField(group, 'type');
  const name = algorithm.toUpperCase();
  switch (type) {
    case 'AeadTest':
      return nameOfUnofferedAead(name, group, tests) ?? checkAead(name);
    case 'EddsaVerify':
      return curveOf(group) === 'edwards25519' ? checkSignature : `${algorithm} on ${curveOf(group)}`;
    case 'XdhComp':
      return curveOf(group) === 'curve25519' ? checkAgreement : `${algorithm} on ${curveOf(group)}`;
    case 'HkdfTest':
      return checkHkdf(name) ?? algorithm;
    case 'MacTest':
      return checkMac(name) ?? algorithm;
    default:
      return `${algorithm} (${type})`;
  }
}

function curveOf(group: Fields): string {
  const { curve } = group;
  if (typeof curve === 'string') return curve;
  const key = group['publicKey'] ?? group['key'];
  return isFields(key) && typeof key['curve'] === 'string' ? key['curve'] : 'an unnamed curve';
}

function runTest(check: Check, group: Fields, test: Fields, backends: readonly Primitives[]): Outcome {
  for (const primitives of backends) {
    try {
      check(primitives, group, test);
    } catch (error) {
      const reason = `${primitives.backend}: ${error instanceof Error ? error.message : String(error)}`;
      return { kind: 'failed', vector: describe(test), reason };
    }
  }
  return passed;
}

function describe(test: Fields): string {
  const comment = test['comment'];
  return `tcId ${String(test['tcId'])}${typeof comment === 'string' && comment !== '' ? ` (${comment})` : ''}`;
}
