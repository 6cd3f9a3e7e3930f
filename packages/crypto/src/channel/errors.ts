/**
 * Why a channel refused. Except for `CLOSED` on a misuse, the channel is dead and wiped afterwards.
 *
 * - `INVALID_RECORD`: received bytes are not the next record of this channel: changed, replayed, reordered, of another
 *   direction, epoch or session, of a wrong length or kind.
 * - `TRUNCATED`: the byte stream ended without the peer's authenticated close.
 * - `LIMIT_REACHED`: a counter would pass its hard limit.
 * - `CLOSED`: used after `close`, after a failure, or after dispose.
 */
export type ChannelErrorCode = 'INVALID_RECORD' | 'TRUNCATED' | 'LIMIT_REACHED' | 'CLOSED';

/** Failure of a channel. Branch on `code`; the message is for people and holds nothing secret. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError';
  readonly code: ChannelErrorCode;

  constructor(code: ChannelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The one answer to every received byte string that is not the record that was due. */
export function invalidRecord(): ChannelError {
  return new ChannelError('INVALID_RECORD', 'the peer did not send a valid record');
}

/** A use after the end. */
export function channelClosed(): ChannelError {
  return new ChannelError('CLOSED', 'the channel has been closed');
}
