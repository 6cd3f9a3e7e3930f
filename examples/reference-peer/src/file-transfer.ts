import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { decodeCanonical, encodeCanonical } from '@nzcore/crypto/msgpack';
import type { Stream } from '@nzcore/transport';
import { type FileRefusal, FileTransferError } from './file-transfer-error.ts';
import type { AnnouncedFile, ReceivedFiles, StoredFile } from './received-files.ts';
import { createStreamReader, type StreamReader } from './stream-reader.ts';

/**
 * One stream for one file. The sender opens it and writes
 *
 *   u32 length | MessagePack [name, size] | the bytes | SHA-256 of the bytes (32)
 *
 * and closes its side. The receiver answers once, when the file is on its disk under its final name, or refused:
 *
 *   u32 length | MessagePack [code, text]      code: `stored` or why not
 */
export const FILE_PROTOCOL = '/nz/file/1';

const MAX_HEADER_BYTES = 4096;
const READ_BYTES = 256 * 1024;
const IDLE_TIMEOUT = 60_000;
/** What a sender has to bring within the timeout, so that slow senders cannot hold every place: 4 KiB a second. */
const LEAST_PROGRESS = 256 * 1024;

/** A file that is on the receiver's disk. */
export interface TransferredFile {
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

function frame(fields: readonly [string, string | number]): Uint8Array {
  const body = encodeCanonical(fields);
  const bytes = new Uint8Array(4 + body.length);
  new DataView(bytes.buffer).setUint32(0, body.length);
  bytes.set(body, 4);
  return bytes;
}

async function readFrame(reader: StreamReader): Promise<unknown[]> {
  const head = await reader.exactly(4);
  const length = new DataView(head.buffer).getUint32(0);
  if (length > MAX_HEADER_BYTES) throw new FileTransferError('malformed', 'a header is too long');
  const fields = decodeCanonical(await reader.exactly(length));
  if (!Array.isArray(fields)) throw new FileTransferError('malformed', 'a header is not an array');
  return fields;
}

async function writeAll(stream: Stream, chunk: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  if (!stream.write(chunk)) await stream.drained(signal === undefined ? {} : { signal });
}

async function writeBody(
  stream: Stream,
  file: FileHandle,
  size: number,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < size; ) {
    // A fresh buffer each time: the stream owns what it was given until it is sent.
    const buffer = new Uint8Array(Math.min(READ_BYTES, size - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw new FileTransferError('failed', 'the file became shorter while it was sent');
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    at += bytesRead;
    await writeAll(stream, chunk, signal);
  }
  const digest = hash.digest();
  await writeAll(stream, digest, signal);
  return digest.toString('hex');
}

/**
 * Sends a file and waits until the other peer has it on its disk.
 *
 * @param openStream - opens a stream of {@link FILE_PROTOCOL} to the receiver
 * @throws FileTransferError with the receiver's refusal, or when the file cannot be read
 */
export async function sendFile(
  path: string,
  openStream: () => Promise<Stream>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<TransferredFile> {
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw new FileTransferError('failed', `cannot read ${path}: ${reason}`, { cause });
  });
  try {
    const information = await file.stat();
    if (!information.isFile()) throw new FileTransferError('failed', `${path} is not a file`);
    const announced = { name: basename(path), size: information.size };
    await using stream = await openStream();
    const sha256 = await exchange(stream, file, { ...announced, ...options });
    return { name: announced.name, bytes: announced.size, sha256 };
  } finally {
    await file.close();
  }
}

async function exchange(
  stream: Stream,
  file: FileHandle,
  { name, size, signal }: AnnouncedFile & { signal?: AbortSignal },
): Promise<string> {
  // A refusal may come before everything is written; then there is no sense in writing on.
  const answered = new AbortController();
  const answer = readFrame(createStreamReader(stream)).finally(() => answered.abort());
  const writing = signal === undefined ? answered.signal : AbortSignal.any([signal, answered.signal]);
  const write = async (): Promise<string> => {
    await writeAll(stream, frame([name, size]), writing);
    const sha256 = await writeBody(stream, file, size, writing);
    stream.closeWrite().catch(() => undefined); // The receiver's answer says more.
    return sha256;
  };
  const written = write().catch((error: unknown) => {
    if (!answered.signal.aborted) stream.reset();
    throw error;
  });
  const [said, sent] = await Promise.allSettled([answer, written]);
  if (said.status === 'rejected') throw sent.status === 'rejected' ? sent.reason : said.reason;
  const [code, text] = said.value;
  if (code !== 'stored') {
    throw new FileTransferError(refusalOf(code), `the other peer refused the file: ${String(text)}`);
  }
  if (sent.status === 'rejected') throw sent.reason;
  return sent.value;
}

function refusalOf(code: unknown): FileRefusal {
  const known: readonly unknown[] = ['too-large', 'busy', 'damaged', 'malformed', 'no-space', 'failed'];
  return known.includes(code) ? (code as FileRefusal) : 'failed';
}

/** How to receive. */
export interface ReceiveOptions {
  readonly files: ReceivedFiles;
  /** A sender that brings less than 256 KiB of a file in so many milliseconds has given up. @defaultValue 60000 */
  readonly idleTimeout?: number;
}

/**
 * Receives one file and answers its sender.
 *
 * @throws FileTransferError with what the sender was told; the stream's error when it ended early
 */
export async function receiveFile(
  stream: Stream,
  { files, idleTimeout = IDLE_TIMEOUT }: ReceiveOptions,
): Promise<StoredFile> {
  const idle = setTimeout(() => stream.reset(), idleTimeout);
  const reader = createStreamReader(stream);
  let sinceRefresh = 0;
  const onProgress = (bytes: number): void => {
    sinceRefresh += bytes;
    if (sinceRefresh < LEAST_PROGRESS) return;
    sinceRefresh = 0;
    idle.refresh();
  };
  try {
    const announced = readAnnouncement(await readFrame(reader));
    const stored = await files.store(announced, reader, onProgress);
    stream.write(frame(['stored', stored.sha256]));
    await stream.closeWrite();
    return stored;
  } catch (error) {
    const refusal = describeRefusal(error);
    if (refusal === undefined) throw error;
    await refuseFile(stream, refusal);
    throw refusal;
  } finally {
    clearTimeout(idle);
    await stream[Symbol.asyncDispose]();
  }
}

/** Answers a sender whose file is not wanted. */
export async function refuseFile(stream: Stream, { code, message }: FileTransferError): Promise<void> {
  try {
    stream.write(frame([code, message]));
    await stream.closeWrite();
  } finally {
    stream.reset();
  }
}

/** What to tell the sender; undefined when it is gone. */
function describeRefusal(error: unknown): FileTransferError | undefined {
  if (error instanceof FileTransferError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'MALFORMED') return new FileTransferError('malformed', 'the header cannot be read');
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new FileTransferError('no-space', 'no space left', { cause: error });
  if (code?.startsWith('E') === true)
    return new FileTransferError('failed', 'it could not be stored', { cause: error });
  return undefined;
}

function readAnnouncement([name, size]: readonly unknown[]): AnnouncedFile {
  if (typeof name !== 'string' || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new FileTransferError('malformed', 'the header has no name and size');
  }
  return { name, size };
}
