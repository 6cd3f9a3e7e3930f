import { createTcpTransport } from '@nzcore/transport/tcp';
import type { Adapter } from '../adapter.ts';
import { createNewZoneCore } from '../newzonecore.ts';

/** Ours over TCP. */
export const adapter: Adapter = createNewZoneCore({
  transport: createTcpTransport(),
  listen: '/ip4/127.0.0.1/tcp/0',
});
