import { createPrimitives, type Primitives } from '@nzcore/crypto';
import { createDatagramChannel, type DatagramChannel } from '@nzcore/crypto/channel';
import { createHandshake, type HandshakeOptions, type HandshakeResult } from '@nzcore/crypto/handshake';
import { type Identity, identityFromSeed } from '@nzcore/identity';
import {
  decodeExchange,
  decodePacket,
  type Exchange,
  encodeData,
  encodeExchange,
  encodeHandshake,
  encodeHello,
  MAX_PACKET,
} from '../src/udp/datagram-packet.ts';
import { MAX_CONTENT } from '../src/udp/datagram-session.ts';
import { RequestLog } from '../src/udp/request-log.ts';
import { hex, unhex } from './wire-vectors.ts';

/** One packet of a session, with what its receiver finds in it. */
export interface DatagramStep {
  readonly from: 'client' | 'responder';
  readonly packet: string;
  /** The plaintext of DATA, or the early data of a hello, as `number type content`. */
  readonly exchange?: string;
}

export interface DatagramVectors {
  /** What every session starts from; bytes are hexadecimal. */
  readonly keys: Readonly<Record<string, string | number>>;
  readonly sessions: readonly { readonly name: string; readonly steps: readonly DatagramStep[] }[];
  readonly packets: readonly { readonly name: string; readonly packet: string; readonly parts: unknown }[];
  /** Dropped without an answer. */
  readonly refused: readonly { readonly name: string; readonly packet: string }[];
  readonly exchanges: readonly { readonly bytes: string; readonly exchange: string | null }[];
  /** What a responder does with requests of one session, by their numbers. */
  readonly repetitions: readonly { readonly name: string; readonly steps: readonly string[] }[];
}

const NOW = 1_750_000_000_000;
const NAMES = { client: '0102030405060708', responder: 'a1a2a3a4a5a6a7a8' } as const;
const SEEDS = { client: 0x11, responder: 0x22 } as const;
const EPHEMERALS = { client: 0x33, responder: 0x44 } as const;
type Side = keyof typeof NAMES;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const show = ({ number, type, content }: Exchange): string => `${number} ${type} ${hex(content)}`;

/** The real primitives, but for the ephemeral key. */
function fixedPrimitives(side: Side): Primitives {
  const primitives = createPrimitives('node');
  const generateKeyPair = () => {
    const secretKey = new Uint8Array(32).fill(EPHEMERALS[side]);
    return { secretKey, publicKey: primitives.x25519.publicKey(secretKey) };
  };
  return { ...primitives, x25519: { ...primitives.x25519, generateKeyPair } };
}

const identityOf = (side: Side): Identity => identityFromSeed(new Uint8Array(32).fill(SEEDS[side]));

function handshakeOf(side: Side, more: Partial<HandshakeOptions>) {
  return createHandshake({
    role: side === 'client' ? 'initiator' : 'responder',
    identity: identityOf(side).handshakeIdentity(NOW),
    primitives: fixedPrimitives(side),
    recordCiphers: ['chacha20poly1305'],
    isOverDatagrams: true,
    ...more,
  });
}

/** A whole session; each side acts on the packet that the vectors hold, as it was decoded. */
function playSession(early: Exchange | undefined): DatagramStep[] {
  const steps: DatagramStep[] = [];
  const responderKey = identityOf('responder').handshakeIdentity(NOW).staticKeyPair.publicKey;
  const client = handshakeOf(
    'client',
    early ? { remoteStaticKey: responderKey, earlyData: encodeExchange(early) } : {},
  );
  const responder = handshakeOf('responder', {});
  const push = (from: Side, packet: Uint8Array, exchange?: Exchange): Uint8Array => {
    steps.push({ from, packet: hex(packet), ...(exchange ? { exchange: show(exchange) } : {}) });
    const decoded = decodePacket(packet)!;
    return decoded.type === 'data' ? decoded.datagram : decoded.message;
  };
  const first = push('client', encodeHello(NAMES.client, client.start(NOW))!, early);
  const answer = responder.receive(first, NOW);
  const second = push('responder', encodeHandshake(NAMES.client, NAMES.responder, answer.reply!));
  const end = client.receive(second, NOW);
  let atResponder = answer.result;
  if (end.reply) {
    const third = push('client', encodeHandshake(NAMES.responder, NAMES.client, end.reply));
    atResponder = responder.receive(third, NOW).result;
  }
  const channels = { client: open('client', end.result!), responder: open('responder', atResponder!) };
  const say = (from: Side, exchange: Exchange): void => {
    const to = from === 'client' ? 'responder' : 'client';
    const datagram = push(
      from,
      encodeData(NAMES[to], channels[from].seal(encodeExchange(exchange))),
      exchange,
    );
    const got = decodeExchange(channels[to].open(datagram)!)!;
    if (show(got) !== show(exchange)) throw new Error('the other side read something else');
  };
  if (early) say('responder', { type: 'response', number: 1, content: ascii('early answer') });
  const number = early ? 2 : 1;
  say('client', { type: 'request', number, content: ascii('question') });
  say('responder', { type: 'response', number, content: ascii('answer') });
  say('client', { type: 'request', number: number + 1, content: new Uint8Array(0) });
  say('responder', { type: 'refusal', number: number + 1, content: new Uint8Array(0) });
  return steps;
}

function open(side: Side, result: HandshakeResult): DatagramChannel {
  return createDatagramChannel(result, { now: 0, primitives: fixedPrimitives(side) });
}

/** Reads a packet as the vectors show it. */
export function readPacket(packet: Uint8Array): unknown {
  const decoded = decodePacket(packet);
  if (!decoded) return null;
  return Object.fromEntries(
    Object.entries(decoded).map(([key, value]) => [key, value instanceof Uint8Array ? hex(value) : value]),
  );
}

/** Reads an exchange as the vectors show it. */
export function readExchange(bytes: Uint8Array): string | null {
  const exchange = decodeExchange(bytes);
  return exchange ? show(exchange) : null;
}

const REFUSED: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', new Uint8Array(0)],
  ['one byte', Uint8Array.of(0x5a)],
  ['eight bytes of zero', new Uint8Array(8)],
  ['another first byte', new Uint8Array(MAX_PACKET).fill(0x59)],
  ['a hello of 1199 bytes', new Uint8Array(1199).fill(0x5a, 0, 1)],
  [
    'a hello whose length field goes beyond the packet',
    Uint8Array.of(0x5a, ...new Uint8Array(8), 0xff, 0xff, ...new Uint8Array(1189)),
  ],
  ['a handshake packet without a second session name', Uint8Array.of(0x5b, ...new Uint8Array(15))],
  ['a packet of 1201 bytes', Uint8Array.of(0x5c, ...new Uint8Array(1200))],
];

const EXCHANGES: readonly string[] = [
  '0100000001',
  '01ffffffff6869',
  '020000000700',
  '0300000007',
  '00000000010203',
  '0400000001',
  '01000000',
  '',
];

/** What a responder does with `begin` and `finish` of the numbers, NZ-DATAGRAM-01 §4.1. */
export function playRepetitions(steps: readonly string[]): string[] {
  const log = new RequestLog();
  return steps.map((step) => {
    const [action, number, content] = step.split(' ').slice(0, 3);
    if (action === 'request') {
      const logged = log.begin(Number(number));
      const outcome =
        typeof logged === 'string'
          ? logged
          : logged.response
            ? `repeat ${hex(logged.response)}`
            : 'refuse again';
      return `request ${number} -> ${outcome}`;
    }
    log.finish(Number(number), content === undefined ? undefined : unhex(content));
    return step;
  });
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

const REPETITIONS: readonly (readonly [string, readonly string[]])[] = [
  [
    'a request runs once and its response is repeated',
    ['request 1', 'request 1', 'respond 1 6f6b', 'request 1', 'request 1'],
  ],
  ['a refusal is repeated as well', ['request 1', 'refuse 1', 'request 1']],
  ['numbers may come out of order', ['request 2', 'request 1', 'respond 1 01', 'request 2', 'request 1']],
  [
    'four of the longest responses are kept',
    [
      ...range(1, 5).flatMap((number) => [
        `request ${number}`,
        `respond ${number} ${`0${number}`.repeat(MAX_CONTENT)}`,
      ]),
      ...range(1, 5).map((number) => `request ${number}`),
    ],
  ],
  [
    'twenty-seven refusals are kept',
    [
      ...range(1, 28).flatMap((number) => [`request ${number}`, `refuse ${number}`]),
      ...[1, 2, 28].map((number) => `request ${number}`),
    ],
  ],
  [
    'numbers are told apart as far as 1,024 behind the highest, and none behind that runs',
    [
      'request 1024',
      'request 1',
      'request 1',
      'request 1025',
      'request 1',
      'request 2',
      'request 4000',
      'request 2977',
      'request 2976',
    ],
  ],
];

/** Everything that the vectors hold. */
export function buildDatagramVectors(): DatagramVectors {
  const early: Exchange = { type: 'request', number: 1, content: ascii('early question') };
  const packets: readonly (readonly [string, Uint8Array])[] = [
    ['hello', encodeHello(NAMES.client, Uint8Array.of(1, 2, 3))!],
    ['handshake', encodeHandshake(NAMES.responder, NAMES.client, Uint8Array.of(4, 5))],
    ['handshake without a message', encodeHandshake(NAMES.responder, NAMES.client, new Uint8Array(0))],
    ['data', encodeData(NAMES.responder, Uint8Array.of(6, 7))],
  ];
  return {
    keys: {
      now: NOW,
      clientSeed: hex(new Uint8Array(32).fill(SEEDS.client)),
      responderSeed: hex(new Uint8Array(32).fill(SEEDS.responder)),
      clientEphemeralSecret: hex(new Uint8Array(32).fill(EPHEMERALS.client)),
      responderEphemeralSecret: hex(new Uint8Array(32).fill(EPHEMERALS.responder)),
      recordCipher: 'chacha20poly1305',
    },
    sessions: [
      { name: 'XX', steps: playSession(undefined) },
      { name: 'IK with an early request', steps: playSession(early) },
    ],
    packets: packets.map(([name, packet]) => ({ name, packet: hex(packet), parts: readPacket(packet) })),
    refused: REFUSED.map(([name, packet]) => ({ name, packet: hex(packet) })),
    exchanges: EXCHANGES.map((bytes) => ({ bytes, exchange: readExchange(unhex(bytes)) })),
    repetitions: REPETITIONS.map(([name, steps]) => ({ name, steps: playRepetitions(steps) })),
  };
}
