import { createTcpTransport } from '@nzcore/transport/tcp';
import type { Adapter } from '../adapter.ts';
import { createNewZoneCore } from '../newzonecore.ts';

/** Ours over TCP to a peer that is known: IK with its static key, as after a restart of either side. */
export const adapter: Adapter = createNewZoneCore({
  transport: createTcpTransport(),
  listen: '/ip4/127.0.0.1/tcp/0',
  warm: 'ik',
});
