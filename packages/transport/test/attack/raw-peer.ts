import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createStreamChannel, type StreamChannel } from '@nzcore/crypto/channel';
import { createHandshake, type HandshakeResult } from '@nzcore/crypto/handshake';
import { identityFromSeed } from '@nzcore/identity';
import { encodeHeader, HEADER_LENGTH, MAX_FRAME_DATA } from '../../src/mux/frames.ts';
import { openSocket } from './raw-sockets.ts';

/** An authenticated peer that says whatever it likes: any frame, at any time, without looking at credit. */
export interface RawPeer {
  readonly socket: Socket;
  /** Seals what is given as one record and writes it. @returns false when the socket has enough; nothing is sent on a dead one. */
  send(...frames: readonly Uint8Array[]): boolean;
  /** Bytes that are no record. */
  sendUnsealed(bytes: Uint8Array): void;
  /** Resolves when the socket takes more, or is gone. */
  writable(): Promise<void>;
}

/** One frame of NZ-WIRE-01 §3. `length` may lie. */
export function frame(
  type: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(0),
  length: number = payload.length,
): Uint8Array {
  const bytes = new Uint8Array(HEADER_LENGTH + payload.length);
  encodeHeader(bytes, 0, type, length, stream);
  bytes.set(payload, HEADER_LENGTH);
  return bytes;
}

/** The payload of an OPEN frame. */
export function openPayload(protocol: string): Uint8Array {
  const name = new TextEncoder().encode(protocol);
  return Uint8Array.of(name.length, ...name);
}

/** A payload of 32-bit numbers. */
export function numbers(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  for (const [index, value] of values.entries()) new DataView(bytes.buffer).setUint32(4 * index, value);
  return bytes;
}

/** Largest DATA payload. */
export const FULL_FRAME: Uint8Array = new Uint8Array(MAX_FRAME_DATA);

/** The message with its length in front, as handshake messages travel. */
export function framed(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + message.length);
  new DataView(bytes.buffer).setUint16(0, message.length);
  bytes.set(message, 2);
  return bytes;
}

/** A handshake as the initiator, with an identity that nobody has seen before. */
export function createRawHandshake() {
  const identity = identityFromSeed(randomBytes(32));
  return createHandshake({
    role: 'initiator',
    identity: identity.handshakeIdentity(Date.now()),
    versions: { min: 1, max: 2 },
  });
}

/** Connects and authenticates; undefined when the victim did not let it. */
export async function openRawPeer(port: number): Promise<RawPeer | undefined> {
  const socket = await openSocket(port);
  const result = await shakeHands(socket);
  if (result === undefined) {
    socket.destroy();
    return undefined;
  }
  return createRawPeer(socket, createStreamChannel(result, { now: performance.now() }));
}

function shakeHands(socket: Socket): Promise<HandshakeResult | undefined> {
  const handshake = createRawHandshake();
  socket.write(framed(handshake.start(Date.now())));
  let received = Buffer.alloc(0);
  return new Promise((resolve) => {
    socket.once('close', () => resolve(undefined));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE()) return;
      const { reply, result } = handshake.receive(
        received.subarray(2, 2 + received.readUInt16BE()),
        Date.now(),
      );
      if (reply !== undefined) socket.write(framed(reply));
      socket.removeAllListeners('data');
      resolve(result);
    });
  });
}

function createRawPeer(socket: Socket, channel: StreamChannel): RawPeer {
  socket.pause();
  return {
    socket,
    send(...frames) {
      if (socket.destroyed) return false;
      return channel.seal(frames).reduce((_, chunk) => socket.write(chunk), true);
    },
    sendUnsealed: (bytes) => void (socket.destroyed || socket.write(bytes)),
    writable: () =>
      new Promise((resolve) => {
        if (socket.destroyed || !socket.writableNeedDrain) return resolve();
        const done = (): void => {
          socket.off('drain', done);
          socket.off('close', done);
          resolve();
        };
        socket.once('drain', done);
        socket.once('close', done);
      }),
  };
}
