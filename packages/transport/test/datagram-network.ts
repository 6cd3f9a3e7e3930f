import { type Identity, identityFromSeed, type PeerId } from '@nzcore/identity';
import { createFakeClock, type FakeClock } from '../src/testing.ts';
import {
  createDatagramEndpoint,
  type DatagramEndpoint,
  type DatagramEndpointOptions,
  type DatagramEvent,
} from '../src/udp/datagram-endpoint.ts';

/** One packet on its way. */
export interface Sent {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

export interface DatagramNode {
  readonly identity: Identity;
  readonly endpoint: DatagramEndpoint;
  readonly address: string;
  readonly events: DatagramEvent[];
  /** Requests that its handler ran. */
  readonly ran: string[];
}

export interface NodeAddress {
  readonly host?: string;
  readonly address?: string;
}

/** A network on a fake clock that loses, repeats and delays packets as it is told. */
export interface DatagramNetwork {
  readonly packets: Sent[];
  /** Milliseconds after which each copy arrives; an empty list loses the packet. */
  fate: (packet: Sent) => readonly number[];
  /** Sees every packet before it is on its way. */
  onSend: (packet: Sent) => void;
  /** @param options - `host` gives another IPv4 address, `address` a whole one */
  node(seed: number, options?: Partial<DatagramEndpointOptions> & NodeAddress): DatagramNode;
  inject(from: string, to: string, bytes: Uint8Array): void;
}

export function createDatagramNetwork(clock: FakeClock): DatagramNetwork {
  const endpoints = new Map<string, DatagramEndpoint>();
  const network: DatagramNetwork = {
    packets: [],
    fate: () => [5],
    onSend: () => {},
    inject: (from, to, bytes) => endpoints.get(to)?.receive(bytes, from),
    node: (seed, { host = `192.0.2.${seed}`, address = `/ip4/${host}/udp/4001`, ...options } = {}) => {
      const identity = identityFromSeed(new Uint8Array(32).fill(seed));
      const events: DatagramEvent[] = [];
      const ran: string[] = [];
      const keys = new Map<PeerId, Uint8Array>();
      const endpoint = createDatagramEndpoint({
        identity,
        clock,
        send: (packet, to) => {
          const sent = { from: address, to, bytes: packet.slice() };
          network.packets.push(sent);
          network.onSend(sent);
          for (const delay of network.fate(sent)) {
            clock.setTimeout(() => endpoints.get(to)?.receive(sent.bytes.slice(), address), delay);
          }
        },
        onRequest: ({ content }) => {
          ran.push(new TextDecoder().decode(content));
          return content;
        },
        staticKeyOf: (peer) => keys.get(peer),
        onStaticKey: (peer, _address, key) => keys.set(peer, key),
        onEvent: (event) => events.push(event),
        ...options,
      });
      endpoints.set(address, endpoint);
      return { identity, endpoint, address, events, ran };
    },
  };
  return network;
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Two nodes of one network, where one asks the other. */
export interface Two {
  readonly clock: FakeClock;
  readonly network: DatagramNetwork;
  readonly a: DatagramNode;
  readonly b: DatagramNode;
  ask(text: string, options?: { isRepeatable?: boolean; timeout?: number }, wait?: number): Promise<string>;
}

export function createTwo(): Two {
  const clock = createFakeClock();
  const network = createDatagramNetwork(clock);
  const a = network.node(1);
  const b = network.node(2);
  const ask: Two['ask'] = async (text, options = {}, wait = 6_000) => {
    const asked = a.endpoint.request(b.identity.peerId, b.address, bytes(text), options).then(
      (answer) => new TextDecoder().decode(answer),
      (error: { code?: string; message: string }) => `${error.code ?? error.message}`,
    );
    await clock.advance(wait);
    return asked;
  };
  return { clock, network, a, b, ask };
}
