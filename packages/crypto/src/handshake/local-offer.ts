import { recordCipherNames } from './negotiation.ts';
import {
  isNameList,
  MAX_EARLY_DATA,
  MAX_FEATURES,
  MAX_VERSION,
  type Offer,
  RECORD_SIZE_RANGE,
  type RecordCipher,
} from './offer.ts';
import { RESUMPTION_FEATURE } from './resumption.ts';
import type { HandshakeOptions } from './types.ts';

// 64 KiB of payload, and room for the frame headers of a multiplexer: such a write then needs one record.
const DEFAULT_RECORD_SIZE = 65_536 + 1_024;

/**
 * AES is only offered where it runs in hardware and so in constant time: on Node, where the processor is one of those that
 * have AES instructions. A browser's libsodium would have to do it in software.
 */
function defaultRecordCiphers(): readonly RecordCipher[] {
  const arch = globalThis.process?.arch;
  return arch === 'x64' || arch === 'arm64' ? recordCipherNames : ['chacha20poly1305'];
}

/**
 * Checks the options and makes of them what this side will say.
 * @throws TypeError or RangeError for options that cannot be used.
 */
export function createOffer(options: HandshakeOptions): Offer {
  const { identity, role, earlyData, remoteStaticKey, expectedIdentity, networkKey } = options;
  const { versions = { min: 1, max: 1 }, maxRecordSize = DEFAULT_RECORD_SIZE } = options;
  const { recordCiphers = defaultRecordCiphers(), tickets } = options;
  const features = offeredFeatures(options.features ?? [], tickets !== undefined);
  for (const key of [identity.publicKey, remoteStaticKey, expectedIdentity, networkKey]) {
    if (key && key.length !== 32)
      throw new RangeError('identities, static keys and the network key have 32 bytes');
  }
  if (role === 'responder' && (earlyData || remoteStaticKey)) {
    throw new TypeError('earlyData and remoteStaticKey are options of the initiator');
  }
  if (earlyData && earlyData.length > MAX_EARLY_DATA)
    throw new RangeError(`earlyData has at most ${MAX_EARLY_DATA} bytes`);
  const unknown = recordCiphers.find((name) => !recordCipherNames.includes(name));
  if (unknown || recordCiphers.length === 0 || new Set(recordCiphers).size < recordCiphers.length)
    throw new RangeError('recordCiphers names one or more known ciphers, each once');
  const { min, max } = RECORD_SIZE_RANGE;
  if (!Number.isInteger(maxRecordSize) || maxRecordSize < min || maxRecordSize > max) {
    throw new RangeError(`maxRecordSize is an integer from ${min} to ${max}`);
  }
  if (
    !Number.isInteger(versions.min) ||
    !Number.isInteger(versions.max) ||
    versions.min < 1 ||
    versions.max < versions.min ||
    versions.max > MAX_VERSION
  ) {
    throw new RangeError(`versions is a range of integers from 1 to ${MAX_VERSION}`);
  }
  return {
    versions,
    features,
    recordCiphers: [...recordCiphers],
    maxRecordSize,
    identity: identity.publicKey,
    certificate: identity.certificate,
    earlyData,
  };
}

/** @throws RangeError for names that cannot be offered. */
function offeredFeatures(own: readonly string[], keepsTickets: boolean): readonly string[] {
  if (own.includes(RESUMPTION_FEATURE)) {
    throw new RangeError(
      `the feature "${RESUMPTION_FEATURE}" is offered for you when \`tickets\` is given: leave it out of \`features\``,
    );
  }
  const most = keepsTickets ? MAX_FEATURES - 1 : MAX_FEATURES;
  if (!isNameList(own, most)) {
    const taken = keepsTickets
      ? `; with \`tickets\` the last of ${MAX_FEATURES} is "${RESUMPTION_FEATURE}"`
      : '';
    throw new RangeError(
      `features are at most ${most} distinct names of 1 to 64 printable ASCII characters${taken}`,
    );
  }
  return keepsTickets ? [...own, RESUMPTION_FEATURE] : own;
}
