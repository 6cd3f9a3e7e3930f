import { createTcpTransport } from '@nzcore/transport/tcp';
import type { Adapter } from '../adapter.ts';
import { createNewZoneCore } from '../newzonecore.ts';

/** Ours over TCP between two peers that have never met: XX, and nothing is cached; without sodium-native. */
export const adapter: Adapter = createNewZoneCore({
  transport: createTcpTransport(),
  listen: '/ip4/127.0.0.1/tcp/0',
  strangers: true,
  isPortable: true,
});
