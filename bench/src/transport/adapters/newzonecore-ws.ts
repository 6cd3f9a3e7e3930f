import { createWebSocketTransport } from '@nzcore/transport/ws';
import type { Adapter } from '../adapter.ts';
import { createNewZoneCore } from '../newzonecore.ts';

/** Ours over WebSocket. */
export const adapter: Adapter = createNewZoneCore({
  transport: createWebSocketTransport(),
  listen: '/ip4/127.0.0.1/tcp/0/ws',
});
