import { beforeAll, describe, expect, it } from 'vitest';
import { runNoise } from '../conformance/noise.ts';
import type { Outcome } from '../conformance/outcome.ts';
import { runWycheproof } from '../conformance/wycheproof.ts';
import { type BackendName, createPrimitives } from '../src/index.ts';
import { hasPublishedVectors, publishedFiles, readPublished } from './published-vectors.ts';

const BACKENDS: readonly BackendName[] = ['auto', 'sodium', 'node'];
const files = await publishedFiles('wycheproof');

beforeAll(() => createPrimitives('sodium').ready());

describe('Project Wycheproof', () => {
  it('has a file for each algorithm, where the vectors are', () => {
    expect(files.length >= 5).toBe(hasPublishedVectors);
  });

  describe.each(files)('%s', (name) => {
    it.each(BACKENDS)('passes on %s without an exception', async (backend) => {
      const file = (await readPublished('wycheproof', name)) as { numberOfTests: number };
      const outcomes = runWycheproof(file, [createPrimitives(backend)]);
      expect(outcomes.filter(({ kind }) => kind !== 'passed')).toEqual([]);
      expect(outcomes).toHaveLength(file.numberOfTests);
    });
  });
});

describe('the conformance command', () => {
  const key = '00'.repeat(32);
  const aead = { key, iv: '00'.repeat(12), aad: '', msg: '', ct: '' };
  // The tag of the empty message under zeros.
  const tag = '530f8afbc74536b9a963b4f1c4cb738b';

  function run(algorithm: string, group: object, ...tests: object[]): Outcome[] {
    const file = {
      algorithm,
      testGroups: [{ type: 'AeadTest', keySize: 256, tagSize: 128, ...group, tests }],
    };
    return runWycheproof(file, [createPrimitives('auto'), createPrimitives('sodium')]);
  }

  it('reports a vector that we do not fulfil, with the backend', () => {
    const valid = { ...aead, tcId: 1, tag, result: 'valid' };
    const outcomes = run(
      'AES-GCM',
      { ivSize: 96 },
      valid,
      { ...valid, tcId: 2, result: 'invalid' },
      { ...valid, tcId: 3, tag: '00'.repeat(16) },
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(['passed', 'failed', 'failed']);
    expect(outcomes[1]).toMatchObject({
      vector: 'tcId 2',
      reason: 'auto: accepted what the vector calls invalid',
    });
  });

  it('reports a vector with fields that it cannot read as failed', () => {
    expect(run('AES-GCM', { ivSize: 96 }, { ...aead, tcId: 1, result: 'valid' })).toMatchObject([
      { kind: 'failed', reason: 'auto: the field tag is missing or no text' },
    ]);
  });

  it.each([
    ['AES-SIV-CMAC', {}, 'AES-SIV-CMAC'],
    ['AES-GCM', { keySize: 128, ivSize: 96 }, 'AES-GCM with 128-bit keys'],
    ['AES-GCM', { ivSize: 64 }, 'AES-GCM with 64-bit nonces'],
    ['HMACSHA1', { type: 'MacTest' }, 'HMACSHA1'],
    ['HKDF-SHA-1', { type: 'HkdfTest' }, 'HKDF-SHA-1'],
    ['EDDSA', { type: 'EddsaVerify', publicKey: { curve: 'edwards448' } }, 'EDDSA on edwards448'],
    ['XDH', { type: 'XdhComp', curve: 'curve448' }, 'XDH on curve448'],
    ['ECDSA', { type: 'EcdsaVerify' }, 'ECDSA (EcdsaVerify)'],
  ])('names what is not offered of %s', (algorithm, group, name) => {
    expect(run(algorithm, group, { ...aead, tag, result: 'valid' })).toEqual([
      { kind: 'skipped', algorithm: name },
    ]);
  });

  it('runs HMAC with a cut tag', () => {
    const test = {
      tcId: 1,
      key: '4a656665',
      msg: '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    };
    const group = { type: 'MacTest', tagSize: 128 };
    const cut = '5bdcc146bf60754e6a042426089575c7';
    expect(
      run(
        'HMACSHA256',
        group,
        { ...test, tag: cut, result: 'valid' },
        { ...test, tag: key, result: 'invalid' },
      ),
    ).toEqual([{ kind: 'passed' }, { kind: 'passed' }]);
  });

  it.each([[null], [[]], [{}], [{ algorithm: 'HMACSHA256', testGroups: 1 }], [{ testGroups: [] }]])(
    'refuses %j as a file',
    (file) => {
      expect(() => runWycheproof(file, [])).toThrow(expect.objectContaining({ name: 'VectorFileError' }));
    },
  );
});

describe('Noise vectors in the conformance command', () => {
  const backends = [createPrimitives('node')];

  it('passes the published file, and reports a changed one', async () => {
    for (const name of await publishedFiles('noise')) {
      const file = (await readPublished('noise', name)) as {
        vectors: { messages: { ciphertext: string }[] }[];
      };
      expect(runNoise(file, backends).filter(({ kind }) => kind !== 'passed')).toEqual([]);
      file.vectors[0]!.messages[0]!.ciphertext = '00';
      expect(runNoise(file, backends)[0]).toMatchObject({
        kind: 'failed',
        vector: expect.stringContaining('Noise_'),
      });
    }
  });

  it('names protocols that are not offered, and fails what is no vector', () => {
    const vectors = [{ protocol_name: 'Noise_NN_448_ChaChaPoly_SHA256', messages: [] }, { name: 'x' }];
    expect(runNoise({ vectors }, backends)).toMatchObject([
      { kind: 'skipped', algorithm: 'Noise_NN_448_ChaChaPoly_SHA256' },
      { kind: 'failed' },
    ]);
    expect(() => runNoise({}, backends)).toThrow(expect.objectContaining({ name: 'VectorFileError' }));
  });
});
