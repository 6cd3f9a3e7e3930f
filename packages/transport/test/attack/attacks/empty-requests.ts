import { MessageKind } from '../../../src/messages/message-frames.ts';
import type { Attack } from '../attack.ts';
import { floodWithEmptyFrames } from '../empty-frames.ts';

/** Requests of eight bytes, eight thousand in a frame. */
export const attack: Attack = (options) =>
  floodWithEmptyFrames(options, { kind: MessageKind.request, protocol: '/attack/requests' });
