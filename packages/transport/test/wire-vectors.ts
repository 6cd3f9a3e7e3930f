import { MessageReader } from '../src/messages/message-reader.ts';
import type { Stream } from '../src/mux/stream.ts';
import { concat, createMuxEnd, type MuxEnd } from './mux-pair.ts';
import { data, fin, finAck, frame, goAway, open, ping, reset, windowFrame } from './raw-frames.ts';

/** One step of a session; bytes are hexadecimal. */
export interface Step {
  readonly call?: 'open' | 'write' | 'closeWrite' | 'reset' | 'goAway' | 'ping';
  readonly stream?: number;
  readonly protocol?: string;
  readonly data?: string;
  readonly code?: number;
  /** A record that arrives. */
  readonly receive?: string;
  /** A record that leaves. */
  readonly sent?: string;
  readonly event?: 'opened' | 'data' | 'end' | 'reset' | 'refused';
}

/** What one side does, gets, sends and reports. */
export interface Session {
  readonly name: string;
  readonly version: number;
  readonly role: 'initiator' | 'responder';
  readonly steps: readonly Step[];
}

export interface WireVectors {
  readonly sessions: readonly Session[];
  readonly refused: readonly { name: string; version: number; record: string; code: string }[];
  readonly messages: readonly { name: string; bytes: string; frames: readonly MessageFrame[] }[];
}

interface MessageFrame {
  readonly kind: number;
  readonly id: number;
  readonly hasMore: boolean;
  readonly payload: string;
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const ascii = (text: string): string => Buffer.from(text).toString('hex');

/** Plays the calls and records of a session and writes down what comes of them. */
export async function play(session: Session): Promise<Step[]> {
  const steps: Step[] = [];
  const end = createMuxEnd(session.role === 'initiator', () => 1000, { version: session.version });
  const streams = new Map<number, Stream>();
  const watch = (stream: Stream): void => {
    streams.set(stream.id, stream);
    stream.receive({
      onData: (chunk) => steps.push({ event: 'data', stream: stream.id, data: hex(chunk) }),
      onEnd: () => steps.push({ event: 'end', stream: stream.id }),
      onReset: () => steps.push({ event: 'reset', stream: stream.id }),
    });
  };
  end.onStream = (stream) => {
    steps.push({ event: 'opened', stream: stream.id, protocol: stream.protocol });
    watch(stream);
  };
  for (const step of session.steps) {
    if (step.call === undefined && step.receive === undefined) continue;
    steps.push(step);
    if (step.receive !== undefined) receive(end, unhex(step.receive), steps);
    else act(end, step, { streams, watch });
    await new Promise((resolve) => setImmediate(resolve));
    for (const record of end.outbox.splice(0)) steps.push({ sent: hex(record) });
  }
  return steps;
}

function receive(end: MuxEnd, record: Uint8Array, steps: Step[]): void {
  end.mux.cork();
  try {
    end.mux.receive(record);
  } catch (error) {
    steps.push({ event: 'refused', protocol: (error as { code: string }).code });
  }
  end.mux.uncork();
}

interface Playing {
  readonly streams: Map<number, Stream>;
  readonly watch: (stream: Stream) => void;
}

function act(end: MuxEnd, step: Step, { streams, watch }: Playing): void {
  const bytes = step.data === undefined ? undefined : unhex(step.data);
  const stream = streams.get(step.stream ?? 0);
  if (step.call === 'open') watch(end.mux.openStream(step.protocol!, bytes));
  else if (step.call === 'write') stream!.write(bytes!);
  else if (step.call === 'closeWrite') void stream!.closeWrite();
  else if (step.call === 'reset') stream!.reset(step.code);
  else if (step.call === 'ping') void end.mux.ping();
  else end.mux.goAway(step.code);
}

/** The sessions of a version, as calls and records only. */
function scripts(version: number): Session[] {
  const acknowledged = version === 2 ? [finAck(1)] : [];
  return [
    {
      name: 'ask, half-close, be answered',
      version,
      role: 'initiator',
      steps: [
        { call: 'open', protocol: '/echo/1', data: ascii('hello') },
        { call: 'write', stream: 1, data: ascii(' world') },
        { call: 'closeWrite', stream: 1 },
        { receive: hex(concat([...acknowledged, data(1, Buffer.from('hello world')), fin(1)])) },
      ],
    },
    {
      name: 'be asked, answer, end',
      version,
      role: 'responder',
      steps: [
        { receive: hex(concat([open(1, '/echo/1', Buffer.from('hi')), fin(1)])) },
        { call: 'write', stream: 1, data: ascii('hi') },
        { call: 'closeWrite', stream: 1 },
        ...(version === 2 ? [{ receive: hex(finAck(1)) }] : []),
      ],
    },
    {
      name: 'two streams, reset on either side, numbers go up',
      version,
      role: 'initiator',
      steps: [
        { call: 'open', protocol: '/a' },
        { call: 'open', protocol: '/b', data: '00ff' },
        { call: 'reset', stream: 1, code: 300 },
        { receive: hex(reset(3, 2)) },
        { call: 'open', protocol: '/c' },
      ],
    },
    {
      name: 'ping, credit, unknown frame, goodbye',
      version,
      role: 'responder',
      steps: [
        { receive: hex(concat([frame(0x80, 9, [1, 2, 3]), ping(0x01020304)])) },
        { call: 'ping' },
        { call: 'open', protocol: '/from/responder', data: '01' },
        { receive: hex(concat([windowFrame(2, 4096), ...(version === 2 ? [windowFrame(0, 65_536)] : [])])) },
        { call: 'goAway', code: 0 },
        { receive: hex(goAway(2, 0)) },
        { receive: hex(open(1)) },
      ],
    },
  ];
}

function refusals(version: number): { name: string; version: number; record: string; code: string }[] {
  const cases: [string, Uint8Array, string][] = [
    ['eight bytes of zero', new Uint8Array(8), 'PROTOCOL_ERROR'],
    ['header cut off', Uint8Array.of(2, 0, 0), 'PROTOCOL_ERROR'],
    ['length beyond the record', Uint8Array.of(2, 0xff, 0xff, 0xff, 0, 0, 0, 1), 'PROTOCOL_ERROR'],
    ['unknown type', frame(0x7f, 0), 'PROTOCOL_ERROR'],
    ['number of the other side', open(2), 'PROTOCOL_ERROR'],
    ['data after FIN', concat([open(1), fin(1), data(1, [1])]), 'PROTOCOL_ERROR'],
    ['window too large', concat([open(1), windowFrame(1, 0x7fff_ffff)]), 'FLOW_CONTROL'],
    ['window of nothing', concat([open(1), windowFrame(1, 0)]), 'PROTOCOL_ERROR'],
  ];
  if (version === 1) {
    cases.push(['window of the connection', windowFrame(0, 1), 'PROTOCOL_ERROR']);
    cases.push(['FIN-ACK', concat([open(1), finAck(1)]), 'PROTOCOL_ERROR']);
  }
  return cases.map(([name, record, code]) => ({ name, version, record: hex(record), code }));
}

/** Reads frames of the message layer. */
export function readMessages(bytes: Uint8Array): MessageFrame[] {
  const frames: MessageFrame[] = [];
  const reader = new MessageReader(({ kind, id, hasMore }, payload) => {
    frames.push({ kind, id, hasMore, payload: hex(payload) });
  });
  reader.push(bytes);
  return frames;
}

const MESSAGES: readonly [string, string][] = [
  ['empty message', '0100000000000000'],
  ['message', '010000050000000068656c6c6f'],
  ['message in two frames', '8100000200000000686501000003000000006c6c6f'],
  ['request and its answer', `0200000200000007${ascii('hi')}0300000200000007${ascii('yo')}`],
  ['failure and cancel', '0400000400000007000003090500000000000008'],
];

/** Everything that the vectors of a version hold. */
export async function buildVectors(version: number): Promise<WireVectors> {
  const sessions: Session[] = [];
  for (const script of scripts(version)) sessions.push({ ...script, steps: await play(script) });
  return {
    sessions,
    refused: refusals(version),
    messages: MESSAGES.map(([name, bytes]) => ({ name, bytes, frames: readMessages(unhex(bytes)) })),
  };
}
