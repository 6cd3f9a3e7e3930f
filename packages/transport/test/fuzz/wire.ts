import { createHandshake } from '@nzcore/crypto/handshake';
import type { FuzzTarget } from '../../../../checks/fuzz-engine.ts';
import { createCompressors } from '../../src/compression.ts';
import { HandshakeReader } from '../../src/connection/handshake-framing.ts';
import { TransportError } from '../../src/errors.ts';
import { decodeBody, encodeBody } from '../../src/messages/bodies.ts';
import { encodeMessageHeader, MessageKind } from '../../src/messages/message-frames.ts';
import { MessageReader } from '../../src/messages/message-reader.ts';
import { type FrameHandler, readFrames } from '../../src/mux/frame-reader.ts';
import { alice } from '../connected.ts';
import { concat, createMuxEnd } from '../mux-pair.ts';
import { data, fin, finAck, goAway, open, ping, pong, reset, windowFrame } from '../raw-frames.ts';

const ignoring: FrameHandler = {
  isStopped: false,
  onOpen: () => undefined,
  onData: () => undefined,
  onWindow: () => undefined,
  onFin: () => undefined,
  onFinAck: () => undefined,
  onReset: () => undefined,
  onPing: () => undefined,
  onPong: () => undefined,
  onGoAway: () => undefined,
};

const records = [
  concat([open(1, '/echo/1', [1, 2, 3]), data(1, [4, 5]), fin(1)]),
  concat([open(1), open(3, '/nz/message/1'), windowFrame(0, 1000), windowFrame(3, 70_000), data(3, [9])]),
  concat([open(1), reset(1, 300), ping(7), pong(7), goAway(0, 4)]),
  concat([open(1, 'a', new Uint8Array(300)), data(1, new Uint8Array(900)), fin(1), finAck(1)]),
];

/** Runs a parser; refusing with one of the codes is right, anything else is a finding. */
function expectCodes(codes: readonly string[], run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof TransportError && codes.includes(error.code))) throw error;
  }
}

function message(
  kind: number,
  payload: Uint8Array,
  flags: { hasMore?: boolean; isCompressed?: boolean } = {},
): Uint8Array {
  const header = new Uint8Array(8);
  const { hasMore = false, isCompressed = false } = flags;
  encodeMessageHeader(header, { kind, hasMore, isCompressed, length: payload.length, id: 5 });
  return concat([header, payload]);
}

const compressors = createCompressors();
const packed = compressors[0]!.compress(new Uint8Array(2000).fill(1));
const messages = [
  message(MessageKind.message, new Uint8Array(20)),
  concat([
    message(MessageKind.request, new Uint8Array(100), { hasMore: true }),
    message(MessageKind.request, new Uint8Array(3)),
  ]),
  concat([
    message(MessageKind.failure, Uint8Array.of(0, 0, 0, 3)),
    message(MessageKind.cancel, new Uint8Array(0)),
  ]),
  message(MessageKind.response, concat([Uint8Array.of(compressors[0]!.id, 0, 7, 208), packed]), {
    isCompressed: true,
  }),
];

const hello = createHandshake({
  role: 'initiator',
  identity: alice.handshakeIdentity(1_800_000_000_000),
}).start(1_800_000_000_000);

export const targets: readonly FuzzTarget[] = [
  {
    name: 'frames of a record',
    seeds: records,
    run: (input) => expectCodes(['PROTOCOL_ERROR'], () => readFrames(input, ignoring)),
  },
  ...[1, 2].map(
    (version): FuzzTarget => ({
      name: `multiplexer of version ${version}`,
      seeds: records,
      run: (input) => {
        const end = createMuxEnd(false, () => 1000, { version });
        end.onStream = (stream) =>
          stream.receive({
            onData: (chunk) => void stream.write(chunk),
            onEnd: () => void stream.closeWrite(),
            onReset: () => undefined,
          });
        end.mux.cork();
        expectCodes(['PROTOCOL_ERROR', 'FLOW_CONTROL', 'FLOOD'], () => end.mux.receive(input));
        end.mux.uncork();
      },
    }),
  ),
  {
    name: 'lengths of handshake messages',
    seeds: [concat([Uint8Array.of(0, hello.length), hello]), Uint8Array.of(0, 1, 7, 0, 2, 8, 9)],
    run: (input) =>
      expectCodes(['HANDSHAKE_FAILED'], () => {
        const reader = new HandshakeReader();
        const cut = input.length >>> 1;
        for (const part of [input.subarray(0, cut), input.subarray(cut)]) {
          for (let rest = part; rest.length > 0; ) {
            const { used } = reader.read(rest);
            if (used === 0) throw new Error('no progress');
            rest = rest.subarray(used);
          }
        }
      }),
  },
  {
    name: 'messages of a stream',
    seeds: messages,
    run: (input) =>
      expectCodes(['MALFORMED'], () => {
        const reader = new MessageReader(() => undefined, compressors);
        const cut = (input[0] ?? 0) % (input.length + 1);
        reader.push(input.subarray(0, cut));
        reader.push(input.subarray(cut));
      }),
  },
  {
    name: 'MessagePack bodies',
    seeds: [encodeBody({ a: [1, 2, 'x'], b: new Uint8Array(3) }), encodeBody([null, true, -5, 1.5])],
    run: (input) => expectCodes(['MALFORMED'], () => void decodeBody(input)),
  },
];
