import {
  type ChannelLimits,
  type ChannelSink,
  createDatagramChannel,
  createStreamChannel,
  type DatagramChannel,
  type StreamChannel,
} from '../../src/channel.ts';
import { NOW, primitives, type Sides, shakeHands } from '../handshake/peers.ts';

/** A channel's both ends, Alice's first. */
export function createChannels(
  sides: Sides = {},
  limits: Partial<ChannelLimits> = {},
  limitsOfBob: Partial<ChannelLimits> = limits,
): [StreamChannel, StreamChannel] {
  const { initiator, responder } = shakeHands(sides);
  return [
    createStreamChannel(initiator, { now: NOW, primitives, limits }),
    createStreamChannel(responder, { now: NOW, primitives, limits: limitsOfBob }),
  ];
}

/** Keeps what a channel delivers. */
export class Recorder implements ChannelSink {
  readonly records: Uint8Array[] = [];
  closes = 0;

  onData(plaintext: Uint8Array): void {
    this.records.push(plaintext);
  }

  onClose(): void {
    this.closes += 1;
  }
}

/** All chunks in one array. */
export function join(chunks: readonly Uint8Array[] = []): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}

/** Lets both ends say what they have to say until both are silent. */
export function settle(
  a: StreamChannel,
  b: StreamChannel,
  sinks: { a?: ChannelSink; b?: ChannelSink } = {},
): void {
  const { a: sinkA = new Recorder(), b: sinkB = new Recorder() } = sinks;
  for (let isQuiet = false; !isQuiet; ) {
    const [fromA, fromB] = [a.takeControl(), b.takeControl()];
    isQuiet = !fromA && !fromB;
    if (fromA) b.receive(join(fromA), sinkB);
    if (fromB) a.receive(join(fromB), sinkA);
  }
}

/** A datagram channel's both ends, Alice's first. */
export function createDatagramChannels(
  sides: Sides = {},
  limits: Partial<ChannelLimits> = {},
): [DatagramChannel, DatagramChannel] {
  const { initiator, responder } = shakeHands(sides);
  const options = { now: NOW, primitives, limits };
  return [createDatagramChannel(initiator, options), createDatagramChannel(responder, options)];
}
