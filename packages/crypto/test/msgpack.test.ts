import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import {
  type CanonicalValue,
  CryptoError,
  decodeCanonical,
  decodeUntrusted,
  encodeCanonical,
} from '../src/msgpack.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const key = text.filter((name) => name !== '__proto__');
const wide = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });
const { value: anyValue } = fc.letrec<{ value: CanonicalValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger(),
    fc.integer({ min: -200, max: 200 }),
    wide.filter((value) => !Number.isSafeInteger(Number(value))),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value)),
    text,
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
}));

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

const malformed = expect.objectContaining({ name: 'CryptoError', code: 'MALFORMED' });

describe('canonical MessagePack (spec/crypto.md §7)', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(decodeCanonical(encodeCanonical(value))).toEqual(value);
      }),
    );
  });

  it('has one encoding: whatever decodes, encodes to the same bytes', () => {
    const mutated = fc
      .tuple(anyValue, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
      .map(([value, changes]) => {
        const bytes = encodeCanonical(value);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), mutated), (bytes) => {
        let value: CanonicalValue;
        try {
          value = decodeCanonical(bytes);
        } catch (error) {
          expect(error).toEqual(malformed);
          return;
        }
        expect(encodeCanonical(value)).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('agrees with msgpackr about the meaning', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(decodeUntrusted(encodeCanonical(value))).toEqual(value);
      }),
    );
  });

  it.each([
    ['a number in a longer form', 'cc7f'],
    ['an unsigned 16 that fits 8 bits', 'cd00ff'],
    ['an unsigned 32 that fits 16 bits', 'ce0000ffff'],
    ['an unsigned 64 that fits 32 bits', 'cf00000000ffffffff'],
    ['a non-negative signed form', 'd001'],
    ['a signed 8 that is a fixint', 'd0ff'],
    ['a signed 16 that fits 8 bits', 'd1ff80'],
    ['a signed 64 that fits 32 bits', 'd3ffffffff80000000'],
    ['a string in a longer form', 'd90161'],
    ['a binary in a longer form', 'c5000100'],
    ['an array in a longer form', 'dc000100'],
    ['a map in a longer form', 'de0000'],
    ['float 32', 'ca3fc00000'],
    ['an integer as a float', 'cb3ff0000000000000'],
    ['minus zero', 'cb8000000000000000'],
    ['not a number', 'cb7ff8000000000000'],
    ['an extension', 'd40100'],
    ['a timestamp', 'd6ff00000000'],
    ['the reserved code', 'c1'],
    ['trailing bytes', '0000'],
    ['nothing', ''],
    ['keys out of order', '82a16201a16101'],
    ['a repeated key', '82a16101a16102'],
    ['a key that is no string', '810101'],
    ['the key __proto__', '81a95f5f70726f746f5f5f80'],
    ['invalid UTF-8', 'a1ff'],
    ['a surrogate in UTF-8', 'a3eda080'],
    ['a length beyond the input', 'dbffffffff61'],
    ['an array beyond the input', 'ddffffffff00'],
    ['a map beyond the input', 'dfffffffff00'],
    ['a binary beyond the input', 'c6ffffffff00'],
    ['a truncated head', 'cd00'],
  ])('refuses %s', (_name, hex) => {
    expect(() => decodeCanonical(fromHex(hex))).toThrow(malformed);
  });

  it('keeps the byte order mark of a string', () => {
    expect(decodeCanonical(encodeCanonical('\ufeffa'))).toBe('\ufeffa');
  });

  it('refuses deeper nesting and longer input than allowed', () => {
    const nested = fromHex(`${'91'.repeat(17)}00`);
    expect(() => decodeCanonical(nested)).toThrow(malformed);
    expect(decodeCanonical(nested, { maxDepth: 17 })).toBeDefined();
    expect(() => decodeCanonical(new Uint8Array(3), { maxBytes: 2 })).toThrow(malformed);
    expect(() => decodeUntrusted(nested)).toThrow(malformed);
  });

  it.each([
    ['NaN', Number.NaN],
    ['-0', -0],
    ['an unsafe integer', 2 ** 53],
    ['a bigint of 65 bits', 2n ** 64n],
    ['undefined', undefined],
    ['a Date', new Date(0)],
    ['a lone surrogate', '\ud800'],
    ['the key __proto__', JSON.parse('{"__proto__":1}') as unknown],
    ['a hole in an array', new Array(1)],
  ])('does not encode %s', (_name, value) => {
    expect(() => encodeCanonical(value as CanonicalValue)).toThrow(TypeError);
  });

  it('copies byte strings out of the input', () => {
    const bytes = encodeCanonical(new Uint8Array([1, 2, 3]));
    const value = decodeCanonical(bytes);
    bytes.fill(0);
    expect(value).toEqual(new Uint8Array([1, 2, 3]));
  });
});

describe('untrusted MessagePack', () => {
  it('gives the value of what msgpackr packs, or MALFORMED for random bytes', () => {
    const packr = new Packr({ useRecords: false });
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(decodeUntrusted(Uint8Array.from(packr.pack(value)))).toEqual(packr.unpack(packr.pack(value)));
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeUntrusted(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(CryptoError);
          expect(error).toEqual(malformed);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
