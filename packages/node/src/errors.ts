/** What a {@link NodeError} can be about. Codes are stable; messages are not. */
export type NodeErrorCode =
  | 'CONFIG_INVALID'
  | 'ADDRESS_INVALID'
  | 'PASSPHRASE_REQUIRED'
  | 'KEYSTORE_MISSING'
  | 'BOOTSTRAP_MISMATCH'
  | 'LISTENER_LOST'
  | 'SEND_FAILED'
  | 'NOT_RUNNING';

/** An operational failure of the node. Callers branch on `code`. Failures of a part pass through as that part's own error. */
export class NodeError extends Error {
  readonly code: NodeErrorCode;

  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NodeError';
    this.code = code;
  }
}
