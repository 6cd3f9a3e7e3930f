import { identityFromSeed } from '@nzcore/identity';
import type { FuzzTarget } from '../../../../checks/fuzz-engine.ts';
import { createFakeClock } from '../../src/testing.ts';
import { createDatagramEndpoint, type DatagramEndpoint } from '../../src/udp/datagram-endpoint.ts';
import { decodeExchange, decodePacket, MAX_PACKET } from '../../src/udp/datagram-packet.ts';
import { buildDatagramVectors } from '../datagram-vectors.ts';
import { unhex } from '../wire-vectors.ts';

const vectors = buildDatagramVectors();
const packets = vectors.sessions.flatMap(({ steps }) => steps.map(({ packet }) => unhex(packet)));

/** The peer that the fuzzed endpoint has a session with, and whose packets are mutated. */
const FRIEND = '/ip4/192.0.2.1/udp/4001';
const HERE = '/ip4/192.0.2.2/udp/4001';
/** Packets that are fed to one endpoint before the next one takes its place. */
const LIFE = 20_000;

/** Two endpoints that have spoken; the network between them notes what they said. */
function createSpeaking(): { endpoint: DatagramEndpoint; recorded: Uint8Array[]; check: () => void } {
  const clock = createFakeClock();
  const recorded: Uint8Array[] = [];
  const endpoints = new Map<string, DatagramEndpoint>();
  const create = (seed: number, address: string): DatagramEndpoint => {
    const endpoint = createDatagramEndpoint({
      identity: identityFromSeed(new Uint8Array(32).fill(seed)),
      clock,
      send: (packet, to) => {
        if (recorded.length < 16) recorded.push(packet.slice());
        endpoints.get(to)?.receive(packet.slice(), address);
      },
      onRequest: ({ content }) => content,
    });
    endpoints.set(address, endpoint);
    return endpoint;
  };
  const friend = create(1, FRIEND);
  const endpoint = create(2, HERE);
  const peer = identityFromSeed(new Uint8Array(32).fill(2)).peerId;
  void friend.request(peer, HERE, new Uint8Array(20)).catch(() => undefined);
  const check = (): void => {
    if (endpoint.sessions > 600) throw new Error(`${endpoint.sessions} sessions`);
  };
  return { endpoint, recorded, check };
}

let speaking = createSpeaking();
let fed = 0;

/** Feeds an endpoint that has a session, as from its peer and as from a stranger. */
function feed(input: Uint8Array): void {
  fed++;
  if (fed % LIFE === 0) speaking = createSpeaking();
  const { endpoint, recorded, check } = speaking;
  endpoint.receive(input, FRIEND);
  endpoint.receive(input, '/ip4/203.0.113.9/udp/9');
  // The names of a session are random: mutations of what was really said reach further.
  const said = recorded[fed % recorded.length];
  if (said && input.length > 9) {
    const mixed = new Uint8Array(Math.min(MAX_PACKET, Math.max(said.length, input.length)));
    mixed.set(input.subarray(0, mixed.length));
    mixed.set(said.subarray(0, 9));
    endpoint.receive(mixed, FRIEND);
    endpoint.receive(said, FRIEND);
  }
  check();
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'datagram packets',
    seeds: packets,
    run: (input) => {
      const packet = decodePacket(input);
      if (packet?.type === 'hello' && packet.message.length > MAX_PACKET) throw new Error('too long');
    },
  },
  {
    name: 'datagram exchanges',
    seeds: vectors.exchanges.map(({ bytes }) => unhex(bytes)).filter(({ length }) => length > 0),
    run: (input) => {
      const exchange = decodeExchange(input);
      if (exchange && exchange.content.length !== input.length - 5) throw new Error('content is cut');
    },
  },
  { name: 'datagram endpoint', seeds: packets, run: feed },
];
