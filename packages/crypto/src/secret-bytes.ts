import { assertBytes, copyBytes } from './bytes.ts';
import { wipe } from './default-primitives.ts';
import { CryptoError } from './errors.ts';

/**
 * The owner of secret bytes: zeroes them on dispose, refuses use afterwards, never prints them.
 *
 * A garbage-collected runtime may have copied the bytes before they came here, and swaps memory to disk as it likes:
 * this shortens the life of a secret, it cannot promise that no trace is left.
 */
export class SecretBytes implements Disposable {
  #bytes: Uint8Array | undefined;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Copies the bytes and zeroes the argument, so that only this object holds them. */
  static from(bytes: Uint8Array): SecretBytes {
    assertBytes('bytes', bytes);
    const secret = new SecretBytes(copyBytes(bytes));
    wipe(bytes);
    return secret;
  }

  /** The number of bytes. @throws CryptoError `DISPOSED` */
  get length(): number {
    return this.#held().length;
  }

  /** Whether the bytes are gone. */
  get isDisposed(): boolean {
    return this.#bytes === undefined;
  }

  /**
   * Lends the bytes to a synchronous function. They are zeroed on dispose: who keeps them, copies them and owns the copy.
   * @throws CryptoError `DISPOSED`
   */
  use<T>(action: (bytes: Uint8Array) => T): T {
    return action(this.#held());
  }

  /** Another owner of the same bytes. @throws CryptoError `DISPOSED` */
  clone(): SecretBytes {
    return new SecretBytes(copyBytes(this.#held()));
  }

  /** Zeroes the bytes; idempotent. */
  dispose(): void {
    if (this.#bytes !== undefined) wipe(this.#bytes);
    this.#bytes = undefined;
  }

  /** Zeroes the bytes; idempotent. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Says what this is, never what it holds. */
  toString(): string {
    return '[SecretBytes]';
  }

  /** Says what this is, never what it holds. */
  toJSON(): string {
    return this.toString();
  }

  /** For util.inspect and console.log of Node. */
  get [Symbol.toStringTag](): string {
    return 'SecretBytes';
  }

  #held(): Uint8Array {
    if (this.#bytes === undefined) throw new CryptoError('DISPOSED', 'the secret has been disposed of');
    return this.#bytes;
  }
}
