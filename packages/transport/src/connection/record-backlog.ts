import type { Mux } from '../mux/mux.ts';
import type { RecordChannel } from './record-channel.ts';

/** Gives records to the multiplexer, and keeps those that wait until it is their connection's turn again. */
export class RecordBacklog {
  readonly #mux: Mux;
  readonly #channel: RecordChannel;
  /** The first of them may have been read in part. Nearly all connections have none. */
  #waiting: Uint8Array[] | undefined;

  constructor(mux: Mux, channel: RecordChannel) {
    this.#mux = mux;
    this.#channel = channel;
  }

  get isEmpty(): boolean {
    return this.#waiting === undefined;
  }

  /** @returns and throws as `Mux.receive` */
  read(record: Uint8Array): boolean {
    if (this.#waiting !== undefined) {
      this.#waiting.push(record);
      return true;
    }
    const isKept = this.#mux.receive(record);
    if (this.#mux.reader.hasRest) this.#waiting = [record];
    return isKept;
  }

  clear(): void {
    this.#waiting = undefined;
  }

  /** Reads on until the turn is over. @throws what the multiplexer throws */
  workOff(): void {
    const { reader } = this.#mux;
    if (reader.isStopped) {
      // The first was read in part: somebody may hold bytes of it.
      this.clear();
      return;
    }
    reader.beginTurn();
    while (this.#waiting !== undefined) {
      const record = this.#waiting[0]!;
      const isKept = this.#mux.receive(reader.hasRest ? undefined : record);
      // The connection may be over by now, and with it the backlog.
      if (reader.hasRest || this.#waiting === undefined) return;
      if (!isKept) this.#channel.release(record);
      this.#waiting.shift();
      if (this.#waiting.length === 0) this.clear();
      if (reader.isTurnOver) return;
    }
  }
}
