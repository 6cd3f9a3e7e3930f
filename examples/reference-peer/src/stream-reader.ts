/** Reads exact numbers of bytes from a flow of chunks of any size. */
export interface StreamReader {
  /** The next `length` bytes in one piece. @throws RangeError when the flow ends before them. */
  exactly(length: number): Promise<Uint8Array>;
  /** The next chunks up to `length` bytes in all, as they come. @throws RangeError when the flow ends before them. */
  upTo(length: number): AsyncGenerator<Uint8Array>;
}

/** Takes over the iterator of `source`. */
export function createStreamReader(source: AsyncIterable<Uint8Array>): StreamReader {
  const iterator = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  const take = async (most: number): Promise<Uint8Array> => {
    while (rest.length === 0) {
      const next = await iterator.next();
      if (next.done === true) throw new RangeError('the stream ended early');
      rest = next.value;
    }
    const chunk = rest.subarray(0, most);
    rest = rest.subarray(chunk.length);
    return chunk;
  };
  async function* upTo(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      const chunk = await take(left);
      left -= chunk.length;
      yield chunk;
    }
  }
  return {
    upTo,
    exactly: async (length) => {
      const bytes = new Uint8Array(length);
      let at = 0;
      for await (const chunk of upTo(length)) {
        bytes.set(chunk, at);
        at += chunk.length;
      }
      return bytes;
    },
  };
}
