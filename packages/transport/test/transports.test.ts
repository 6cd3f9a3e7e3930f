import { describe, it } from 'vitest';
import { WebSocket } from 'ws';
import { createMemoryNetwork, createMemoryTransport } from '../src/memory.ts';
import { runTransportSuite } from '../src/testing.ts';
import { createWebSocketTransport } from '../src/ws.ts';
import { createBrowserWebSocketTransport, type StandardWebSocket } from '../src/ws-browser.ts';

describe('memory transport', () => {
  runTransportSuite({
    test: it,
    create: () => {
      const network = createMemoryNetwork();
      return {
        transport: createMemoryTransport({ network }),
        dialler: createMemoryTransport({ network }),
        listenAddress: '/memory/alice',
        deadAddress: '/memory/nobody',
        foreignAddress: '/ip4/127.0.0.1/tcp/1',
      };
    },
  });
});

const loopback = {
  listenAddress: '/ip4/127.0.0.1/tcp/0/ws/http-path/%2Fpeer',
  deadAddress: '/ip4/127.0.0.1/tcp/1/ws',
  foreignAddress: '/ip4/127.0.0.1/tcp/1',
};

describe('WebSocket transport', () => {
  runTransportSuite({
    test: it,
    create: () => ({
      transport: createWebSocketTransport(),
      dialler: createWebSocketTransport(),
      nameOf: (address) => address.replace('/ip4/127.0.0.1', '/dns4/localhost'),
      ...loopback,
    }),
  });
});

describe("WebSocket transport over the platform's WebSocket", () => {
  const Standard = WebSocket as unknown as new (url: string) => StandardWebSocket;
  runTransportSuite({
    test: it,
    create: () => ({
      transport: createWebSocketTransport(),
      dialler: createBrowserWebSocketTransport({ WebSocket: Standard }),
      ...loopback,
    }),
  });
});
