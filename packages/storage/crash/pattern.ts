/** Stands in every value, name and entry, so that a search of the data directory can find what was not encrypted. */
export const MARKER = 'PLAINTEXT-MARKER';

/** Bytes that tell their name and version, and whose every byte follows from both. */
export function pattern(name: string, version: number): Uint8Array {
  const head = new TextEncoder().encode(`${MARKER}|${name}|${version}|`);
  const bytes = new Uint8Array(head.length + sizeOf(version));
  bytes.set(head);
  for (let i = head.length; i < bytes.length; i++) bytes[i] = (i * 31 + version * 7) & 0xff;
  return bytes;
}

/** The version of such bytes. @throws Error when a byte of them is wrong */
export function versionOf(name: string, bytes: Uint8Array): number {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 100));
  const version = Number(/^PLAINTEXT-MARKER\|([^|]*)\|(\d+)\|/.exec(head)?.[2] ?? Number.NaN);
  if (Buffer.compare(bytes, pattern(name, version)) !== 0)
    throw new Error(`${name} is torn, or not what was written`);
  return version;
}

// From some bytes to several chunks of a file.
function sizeOf(version: number): number {
  const sizes = [0, 10, 100, 1_000, 65_536, 200_000];
  return sizes[version % sizes.length]! + (version % 97);
}
