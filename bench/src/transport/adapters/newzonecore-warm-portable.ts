import { createTcpTransport } from '@nzcore/transport/tcp';
import type { Adapter } from '../adapter.ts';
import { createNewZoneCore } from '../newzonecore.ts';

/** Ours over TCP to a peer that is known: it resumes the connection before; without sodium-native. */
export const adapter: Adapter = createNewZoneCore({
  transport: createTcpTransport(),
  listen: '/ip4/127.0.0.1/tcp/0',
  warm: 'resumed',
  isPortable: true,
});
