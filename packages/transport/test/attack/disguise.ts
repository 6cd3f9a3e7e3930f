import type { ByteConnection } from '../../src/byte-connection.ts';
import type { Transport } from '../../src/transport.ts';

/**
 * Shows loopback addresses as public ones (198.51.100.x of RFC 5737): loopback is exempt from the limits by origin, and those
 * limits are part of the defence.
 */
export function disguise(transport: Transport): Transport {
  return {
    ...transport,
    listen: (address, options) =>
      transport.listen(address, {
        ...options,
        onConnection: (connection) => options.onConnection(withPublicAddress(connection)),
      }),
  };
}

function withPublicAddress(inner: ByteConnection): ByteConnection {
  return {
    localAddress: inner.localAddress,
    takesTurns: inner.takesTurns === true,
    remoteAddress: inner.remoteAddress.replace('/ip4/127.0.0.', '/ip4/198.51.100.'),
    start: (handler) => inner.start(handler),
    write: (chunks) => inner.write(chunks),
    pause: () => inner.pause(),
    resume: () => inner.resume(),
    end: () => inner.end(),
    destroy: (error) => inner.destroy(error),
  };
}
