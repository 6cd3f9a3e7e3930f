import { concatBytes, utf8 } from '../bytes.ts';

/** The longest name, in bytes of UTF-8. */
export const MAX_NAMESPACE_BYTES = 64;

/** How deep namespaces may nest. */
export const MAX_NAMESPACE_DEPTH = 16;

/*
 * spec/storage.md §2.1: the physical key of `key` in the namespace a/b
 *
 *   +----+-----+----+-----+------+-----+
 *   | 1  | 'a' | 1  | 'b' | 0x00 | key |
 *   +----+-----+----+-----+------+-----+
 *
 * Each name is preceded by its length (1 to 64), the key by a zero. So no namespace is a prefix of another
 * one's keys, and the order of keys within a namespace is their own.
 */

/** The bytes in front of every key of a namespace. */
export function encodeNamespace(path: readonly string[]): Uint8Array<ArrayBuffer> {
  return concatBytes(encodeNames(path), new Uint8Array(1));
}

/** The bytes in front of every key of a namespace and of those below it. */
export function encodeNames(path: readonly string[]): Uint8Array<ArrayBuffer> {
  if (path.length > MAX_NAMESPACE_DEPTH) {
    throw new RangeError(`namespaces nest at most ${MAX_NAMESPACE_DEPTH} deep`);
  }
  return concatBytes(...path.flatMap((name) => [Uint8Array.of(checkedName(name).length), utf8(name)]));
}

/** The length of the namespace in front of a physical key; undefined when it is not one. */
export function namespaceLength(physicalKey: Uint8Array): number | undefined {
  let offset = 0;
  for (let depth = 0; depth <= MAX_NAMESPACE_DEPTH; depth++) {
    const length = physicalKey[offset];
    if (length === undefined || length > MAX_NAMESPACE_BYTES) return undefined;
    if (length === 0) return offset + 1;
    offset += 1 + length;
  }
  return undefined;
}

/** @throws TypeError or RangeError for what is no name */
export function checkedName(name: string): Uint8Array {
  if (typeof name !== 'string') throw new TypeError('a namespace is named by a string');
  const bytes = utf8(name);
  if (bytes.length === 0 || bytes.length > MAX_NAMESPACE_BYTES) {
    throw new RangeError(`a namespace's name has 1 to ${MAX_NAMESPACE_BYTES} bytes of UTF-8`);
  }
  // A lone surrogate would become U+FFFD, and two names one.
  if (/\p{Cs}/u.test(name)) throw new TypeError("a namespace's name must be well-formed Unicode");
  return bytes;
}
