import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to one connection. Offsets count the bytes of one direction. */
export interface Fault {
  readonly direction: 'to-server' | 'to-client';
  /** Bytes that still pass. */
  readonly after: number;
  /**
   * `end`: both sides see a close; `reset`: both see RST; `half`: the receiver sees the end of this direction, the other one goes on;
   * `stall`: nothing is said any more, as with a dead machine; `duplicate`: up to 64 bytes come twice, then all goes on; `late`: all goes
   * on after 20 ms.
   */
  readonly kind: 'end' | 'reset' | 'half' | 'stall' | 'duplicate' | 'late';
}

/** Milliseconds of lateness: enough that all which can be done without the rest is done. */
const LATE = 20;

/** A TCP proxy on loopback that breaks connections where it is told to. */
export interface FaultProxy extends AsyncDisposable {
  /** Multiaddr text. */
  readonly address: string;
  /** For the connections from now on. */
  fault: Fault | undefined;
  /** Passes single bytes, each in its own turn of the event loop. */
  isDribbling: boolean;
  /** Milliseconds by which each read is held back, in order. */
  delay: () => number;
  /** Bytes of the last connection, by direction. */
  readonly passed: Record<Fault['direction'], number>;
}

export async function openFaultProxy(target: string): Promise<FaultProxy> {
  const port = Number(target.split('/')[4]);
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    proxy.passed['to-client'] = 0;
    proxy.passed['to-server'] = 0;
    for (const socket of [near, far]) {
      sockets.add(socket.setNoDelay(true));
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    }
    carry(proxy, near, far, 'to-server');
    carry(proxy, far, near, 'to-client');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: FaultProxy = {
    address: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`,
    fault: undefined,
    isDribbling: false,
    delay: () => 0,
    passed: { 'to-server': 0, 'to-client': 0 },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function carry(proxy: FaultProxy, from: Socket, to: Socket, direction: Fault['direction']): void {
  const fault = proxy.fault?.direction === direction ? proxy.fault : undefined;
  let left = fault?.after ?? Number.POSITIVE_INFINITY;
  let last: Buffer = Buffer.alloc(0);
  let isSlow = false;
  const strike = (): void => {
    if (fault?.kind === 'stall') return;
    if (fault?.kind === 'half') {
      to.end();
      return;
    }
    for (const socket of [from, to]) {
      if (fault?.kind === 'reset') socket.resetAndDestroy();
      else socket.destroy();
    }
  };
  const write = (part: Buffer): void => {
    proxy.passed[direction] += part.length;
    to.write(part);
    if (fault?.kind === 'duplicate') last = Buffer.concat([last, part]).subarray(-64);
  };
  const pass = (chunk: Buffer): void => {
    if (left < 0) return;
    const part = chunk.subarray(0, left);
    left -= chunk.length;
    write(part);
    if (left >= 0) return;
    if (fault?.kind === 'late') {
      left = Number.POSITIVE_INFINITY;
      isSlow = true;
      from.pause();
      setTimeout(() => {
        write(chunk.subarray(part.length));
        isSlow = false;
        from.resume();
      }, LATE);
      return;
    }
    if (fault?.kind === 'duplicate') {
      left = Number.POSITIVE_INFINITY;
      to.write(last);
      write(chunk.subarray(part.length));
      return;
    }
    // What passed has to arrive first: a reset would overtake it.
    setImmediate(strike);
  };
  const passSlowly = async (chunk: Buffer): Promise<void> => {
    const delay = proxy.delay();
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    if (proxy.isDribbling) await dribble(chunk, pass);
    else pass(chunk);
  };
  from.on('data', (chunk: Buffer) => {
    if (!proxy.isDribbling && proxy.delay() === 0) return pass(chunk);
    isSlow = true;
    from.pause();
    void passSlowly(chunk).then(() => {
      isSlow = false;
      from.resume();
    });
  });
  from.on('end', () => {
    if (left >= 0) to.end();
  });
  from.on('close', () => {
    if (left >= 0 && !isSlow) to.destroy();
  });
}

async function dribble(chunk: Buffer, pass: (part: Buffer) => void): Promise<void> {
  for (let at = 0; at < chunk.length; at++) {
    pass(chunk.subarray(at, at + 1));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
