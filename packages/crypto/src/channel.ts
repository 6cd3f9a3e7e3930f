export { createDatagramChannel } from './channel/datagram-channel.ts';
export { ChannelError, type ChannelErrorCode } from './channel/errors.ts';
export type { ChannelKind } from './channel/key-schedule.ts';
export type { ChannelLimits } from './channel/limits.ts';
export type { ChannelSecrets } from './channel/secrets.ts';
export { createStreamChannel } from './channel/stream-channel.ts';
export type {
  ChannelBasis,
  ChannelCounters,
  ChannelOptions,
  ChannelSink,
  DatagramChannel,
  StreamChannel,
} from './channel/types.ts';
