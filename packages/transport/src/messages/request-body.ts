import { TransportError } from '../errors.ts';
import { GrowingBytes } from '../growing-bytes.ts';
import type { MessageHeader } from './message-frames.ts';
import type { MessageOptions } from './messages.ts';

/** Largest body unless the options say otherwise: bigger ones go as messages of their own stream. */
const DEFAULT_MAX_BODY = 16 * 1024 * 1024;

/** Options of `createRequester` and `serveRequests`. */
export interface RequestOptions extends MessageOptions {
  /** Largest body of a request or answer, in bytes. @defaultValue 16 MiB */
  readonly maxBodyLength?: number;
}

/** Puts the frames of a body together; the message layer never mixes two. */
export class BodyAssembler {
  readonly maxLength: number;
  readonly #onBody: (kind: number, id: number, bytes: Uint8Array) => void;
  readonly #body = new GrowingBytes();

  constructor(options: RequestOptions, onBody: (kind: number, id: number, bytes: Uint8Array) => void) {
    this.maxLength = options.maxBodyLength ?? DEFAULT_MAX_BODY;
    this.#onBody = onBody;
  }

  /** @throws TransportError `MESSAGE_TOO_LARGE`; what `onBody` throws. */
  onFrame(header: MessageHeader, payload: Uint8Array): void {
    if (this.#body.length + payload.length > this.maxLength) {
      throw new TransportError('MESSAGE_TOO_LARGE', `A body is larger than ${this.maxLength} bytes.`);
    }
    if (!header.hasMore && this.#body.length === 0) {
      this.#onBody(header.kind, header.id, payload);
      return;
    }
    this.#body.append(payload);
    if (!header.hasMore) this.#onBody(header.kind, header.id, this.#body.take());
  }
}
