import { type AeadKey, chacha20poly1305, releaseChunks } from '@nzcore/crypto';
import { concatBytes } from '../bytes.ts';
import { writeAll } from '../file-system/file-access.ts';
import type { OpenedFile } from '../file-system/file-system.ts';
import { CHUNK_BYTES, chunkNonce, encodeFileHeader } from './file-codec.ts';

/** What a file's content may come from. */
export type FileContent = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** What a writer needs besides the content. */
export interface FileWriterOptions {
  /** 32 random bytes of this one file. */
  readonly key: Uint8Array;
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** Called with each number of plaintext bytes before they are sealed; throws to refuse them. */
  readonly onBytes: (count: number) => void;
  readonly signal: AbortSignal | undefined;
}

// One write to the file system for 16 chunks; while it is under way the next ones are sealed.
const BLOCK_BYTES = 16 * CHUNK_BYTES;

/** Encrypts the content into a file, in memory that does not depend on its size. @returns the plaintext's size */
export async function writeEncrypted(
  file: OpenedFile,
  content: FileContent,
  { key, id, onBytes, signal }: FileWriterOptions,
): Promise<number> {
  using aead = chacha20poly1305.importKey(key);
  const chunker = createChunker(aead, encodeFileHeader(id));
  const output = createOutput(file);
  try {
    for await (const bytes of partsOf(content)) {
      signal?.throwIfAborted();
      if (!(bytes instanceof Uint8Array)) throw new TypeError('the content of a file must be Uint8Arrays');
      for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
        const part = bytes.subarray(from, from + BLOCK_BYTES);
        onBytes(part.length);
        chunker.add(part);
        if (chunker.sealedBytes >= BLOCK_BYTES) await output.write(chunker.take());
      }
      // The source may use its memory again.
      chunker.keep();
    }
    await output.write(chunker.end());
  } finally {
    await output.settled();
  }
  signal?.throwIfAborted();
  return chunker.size;
}

function partsOf(content: FileContent): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  return content instanceof Uint8Array ? [content] : content;
}

interface Chunker {
  readonly size: number;
  readonly sealedBytes: number;
  add(bytes: Uint8Array): void;
  /** Lets go of the caller's memory. */
  keep(): void;
  take(): Uint8Array[];
  end(): Uint8Array[];
}

/**
 * Cuts plaintext into chunks and seals them. A chunk that is full is sealed as one from the middle; when it turns out
 * to be the last one, it is opened and sealed again as such. The other form never leaves this process, and its nonce is
 * another one.
 */
function createChunker(aead: AeadKey, header: Uint8Array): Chunker {
  let sealed: Uint8Array[] = [new Uint8Array(header)];
  let sealedBytes = header.length;
  const kept = new Uint8Array(CHUNK_BYTES);
  let keptBytes = 0;
  let borrowed: Uint8Array[] = [];
  let pendingBytes = 0;
  let full: Uint8Array[] = [];
  let index = 0;
  let size = 0;

  const seal = (parts: readonly Uint8Array[], isLast: boolean): Uint8Array[] =>
    aead.sealParts(chunkNonce(index, isLast), parts, header);

  const pending = (): Uint8Array[] =>
    keptBytes === 0 ? borrowed : [kept.subarray(0, keptBytes), ...borrowed];

  const passOn = (parts: readonly Uint8Array[]): void => {
    for (const part of parts) {
      sealed.push(part);
      sealedBytes += part.length;
    }
  };

  /** There is more behind the full chunk: it is from the middle. */
  const passFullOn = (): void => {
    if (full.length === 0) return;
    passOn(full);
    full = [];
    index++;
  };

  const sealFull = (): void => {
    full = seal(pending(), false);
    borrowed = [];
    keptBytes = 0;
    pendingBytes = 0;
  };

  return {
    get size() {
      return size;
    },
    get sealedBytes() {
      return sealedBytes;
    },
    add(bytes) {
      size += bytes.length;
      for (let rest = bytes; rest.length > 0; ) {
        passFullOn();
        const part = rest.subarray(0, CHUNK_BYTES - pendingBytes);
        borrowed.push(part);
        pendingBytes += part.length;
        rest = rest.subarray(part.length);
        if (pendingBytes === CHUNK_BYTES) sealFull();
      }
    },
    keep() {
      for (const part of borrowed) {
        kept.set(part, keptBytes);
        keptBytes += part.length;
      }
      borrowed = [];
    },
    take() {
      const taken = sealed;
      sealed = [];
      sealedBytes = 0;
      return taken;
    },
    end() {
      if (full.length === 0) passOn(seal(pending(), true));
      else {
        const plaintext = aead.open(chunkNonce(index, false), concatBytes(...full), header);
        passOn(seal([plaintext], true));
        plaintext.fill(0);
      }
      kept.fill(0);
      return this.take();
    },
  };
}

/** Writes one block while the next one is made; the memory of a block that is written is given back. */
function createOutput(file: OpenedFile): {
  write(parts: Uint8Array[]): Promise<void>;
  settled(): Promise<void>;
} {
  let position = 0;
  let writing: Promise<unknown> = Promise.resolve();
  return {
    write: async (parts) => {
      await writing;
      const from = position;
      for (const part of parts) position += part.length;
      writing = writeAll(file, parts, from).then(() => releaseChunks(parts));
      writing.catch(() => {});
    },
    settled: async () => {
      await writing;
    },
  };
}
