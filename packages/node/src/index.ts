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
export type { MessageHandler } from './messaging.ts';
export { createNode, type NodeOptions } from './node.ts';
export type { NodeEvents, NodeState, ReceivedMessage } from './node-events.ts';
export type { NodeParts } from './parts.ts';
export type { ConnectedPeer, NodeCallOptions, NodeStreamHandler, PeerNode } from './peer-node.ts';
