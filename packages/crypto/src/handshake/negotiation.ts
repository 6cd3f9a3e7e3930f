import type { Role } from '../noise/patterns.ts';
import { HandshakeError } from './errors.ts';
import type { RecordCipher, Terms } from './offer.ts';

/** What both sides compute alike from the two offers (NZ-HANDSHAKE-01 §7). */
export interface Agreement {
  readonly version: number;
  readonly features: readonly string[];
  readonly recordCipher: RecordCipher;
  readonly maxRecordSize: number;
}

/** Record ciphers of this implementation. */
export const recordCipherNames: readonly RecordCipher[] = [
  'aes256gcm-chacha20poly1305',
  'chacha20poly1305',
  'aes256gcm',
];

function isRecordCipher(name: string): name is RecordCipher {
  return (recordCipherNames as readonly string[]).includes(name);
}

/**
 * A pure function of both offers, so that nothing needs to be said about the outcome: the highest common version, the
 * common features and the first common record cipher in the initiator's order, the smaller record size.
 * @throws HandshakeError `NO_COMMON_VERSION`, `NO_COMMON_CIPHER`.
 */
export function negotiate(role: Role, local: Terms, remote: Terms): Agreement {
  const [initiator, responder] = role === 'initiator' ? [local, remote] : [remote, local];
  const version = Math.min(initiator.versions.max, responder.versions.max);
  if (version < Math.max(initiator.versions.min, responder.versions.min)) {
    throw new HandshakeError('NO_COMMON_VERSION', 'the version ranges of both peers do not meet');
  }
  const recordCipher = initiator.recordCiphers
    .filter((name) => responder.recordCiphers.includes(name))
    .find(isRecordCipher);
  if (!recordCipher)
    throw new HandshakeError('NO_COMMON_CIPHER', 'no record cipher is offered by both peers');
  return {
    version,
    features: initiator.features.filter((name) => responder.features.includes(name)),
    recordCipher,
    maxRecordSize: Math.min(initiator.maxRecordSize, responder.maxRecordSize),
  };
}
