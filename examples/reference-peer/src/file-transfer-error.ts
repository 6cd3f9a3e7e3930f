/** Why a receiver did not store a file. */
export type FileRefusal = 'too-large' | 'busy' | 'damaged' | 'malformed' | 'no-space' | 'failed';

/** A file that did not arrive. */
export class FileTransferError extends Error {
  readonly code: FileRefusal;

  constructor(code: FileRefusal, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FileTransferError';
    this.code = code;
  }
}
