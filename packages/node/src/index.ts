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
export {
  type ConnectedPeer,
  createNode,
  type NodeCallOptions,
  type NodeOptions,
  type NodeStreamHandler,
  type PeerNode,
} from './node.ts';
export type { NodeEvents, NodeState, ReceivedMessage } from './node-events.ts';
export type { NodeParts } from './parts.ts';
