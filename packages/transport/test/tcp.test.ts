import { describe, it } from 'vitest';
import { createTcpTransport } from '../src/tcp.ts';
import { runTransportSuite } from '../src/testing.ts';

for (const useSharedBuffer of [true, false]) {
  describe(`TCP transport, ${useSharedBuffer ? 'one read buffer' : "'data' events"}`, () => {
    runTransportSuite({
      test: it,
      create: () => ({
        transport: createTcpTransport({ useSharedBuffer }),
        dialler: createTcpTransport({ useSharedBuffer }),
        listenAddress: '/ip4/127.0.0.1/tcp/0',
        nameOf: (address) => address.replace('/ip4/127.0.0.1', '/dns4/localhost'),
        deadAddress: '/ip4/127.0.0.1/tcp/1',
        foreignAddress: '/memory/alice',
      }),
    });
  });
}
