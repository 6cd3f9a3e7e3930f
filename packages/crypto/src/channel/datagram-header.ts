import { readUint32, writeUint32 } from './record.ts';

/** Bytes in front of the sealed part of a datagram (NZ-CHANNEL-01 §7.1). */
export const DATAGRAM_HEADER = 12;
/** Longest datagram: what fits into UDP over IPv4. */
export const MAX_DATAGRAM = 65_507;
/** Most generations, and most steps of one generation. */
export const MAX_EPOCH_NUMBER = 0xffff;

/** Which key and nonce a datagram was sealed with. */
export interface DatagramHeader {
  /** Completed Diffie-Hellman steps. */
  readonly generation: number;
  /** Steps of the symmetric ratchet within the generation. */
  readonly step: number;
  readonly counter: number;
}

/**
 * Layout (NZ-CHANNEL-01 §7.1), all of it associated data:
 *
 *     generation (2) | step (2) | counter (8)
 */
export function writeDatagramHeader(target: Uint8Array, header: DatagramHeader): void {
  writeUint32(target, 0, header.generation * 0x10000 + header.step);
  writeUint32(target, 4, 0);
  writeUint32(target, 8, header.counter);
}

/** Reads what {@link writeDatagramHeader} wrote; a counter of 2^32 or more comes back as such, and is refused later. */
export function readDatagramHeader(datagram: Uint8Array): DatagramHeader {
  const epoch = readUint32(datagram, 0);
  return {
    generation: epoch >>> 16,
    step: epoch & 0xffff,
    counter: readUint32(datagram, 4) * 2 ** 32 + readUint32(datagram, 8),
  };
}
