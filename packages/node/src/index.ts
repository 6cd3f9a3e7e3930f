export type { MessageHandler, ReceivedMessage, SignalOptions } from '@nzcore/transport';
export {
  type ConfigProblem,
  inspectConfig,
  type LogLevel,
  type NodeConfig,
  type NodeConfigInput,
  type NodeLimits,
  parseConfig,
} from './config.ts';
export { NodeError, type NodeErrorCode } from './errors.ts';
export { TypedEventTarget } from './events.ts';
export { createNode, type NodeOptions } from './node.ts';
export type { NodeEvents, NodeState } from './node-events.ts';
export type { NodeParts } from './parts.ts';
export type { ConnectedPeer, NodeStreamHandler, PeerNode } from './peer-node.ts';
