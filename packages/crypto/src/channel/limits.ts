import type { RecordCipher } from '../handshake/offer.ts';

/** When keys are renewed. Smaller numbers than the defaults are safe; larger ones weaken the channel. */
export interface ChannelLimits {
  /** Records under one key before the symmetric ratchet steps. @defaultValue 2^20 */
  readonly updateRecords: number;
  /** Bytes under one key before the symmetric ratchet steps. @defaultValue 256 MiB */
  readonly updateBytes: number;
  /** Milliseconds of use before the symmetric ratchet steps. @defaultValue 60000 */
  readonly updateInterval: number;
  /** Bytes in both directions before the Diffie-Hellman ratchet steps. @defaultValue 1 GiB */
  readonly ratchetBytes: number;
  /** Milliseconds of use before the Diffie-Hellman ratchet steps. @defaultValue 120000 */
  readonly ratchetInterval: number;
  /** Records under one key that are never exceeded, in either direction. @defaultValue 2^24 with AES-GCM, else 2^32-1; both are maxima */
  readonly hardRecords: number;
}

const GCM_RECORDS = 2 ** 24;
const COUNTER_RECORDS = 2 ** 32 - 1;

const defaults = {
  // Far below the 2^24 of GCM, and few enough that a step (some 20 µs) cannot be measured.
  updateRecords: 2 ** 20,
  // A quarter of the Diffie-Hellman ratchet's, so that a stolen key opens little of the past.
  updateBytes: 256 * 2 ** 20,
  updateInterval: 60_000,
  ratchetBytes: 2 ** 30,
  // WireGuard's interval (REKEY_AFTER_TIME), from the design.
  ratchetInterval: 120_000,
};

// One object for all channels that are content with the defaults.
const defaultsOfGcm: ChannelLimits = { ...defaults, hardRecords: GCM_RECORDS };
const defaultsOfCounter: ChannelLimits = { ...defaults, hardRecords: COUNTER_RECORDS };

/**
 * Fills in the defaults.
 * @throws RangeError when a limit is not a positive integer, or `hardRecords` is above its maximum.
 */
export function resolveLimits(limits: Partial<ChannelLimits>, recordCipher: RecordCipher): ChannelLimits {
  const maximum = recordCipher === 'chacha20poly1305' ? COUNTER_RECORDS : GCM_RECORDS;
  const standard = maximum === GCM_RECORDS ? defaultsOfGcm : defaultsOfCounter;
  if (Object.keys(limits).length === 0) return standard;
  const resolved = { ...standard, ...limits };
  for (const [name, value] of Object.entries(resolved)) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} is a positive integer`);
  }
  if (resolved.hardRecords > maximum) throw new RangeError(`hardRecords is at most ${maximum}`);
  return resolved;
}
