import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Area, Contestant, Figures, Metric, Trial } from '../area.ts';
import { contestantOf, type PairOptions } from '../transport/contestants.ts';
import { type DriverMessage, nextMessage } from '../transport/messages.ts';

const everybody = ['tcp', 'tls13', 'ws', 'libp2p', 'secret-stream', 'hyperdht'];

/** A trial in which our adapter and the peers' run the same workload. */
function pairs(
  metrics: readonly Metric[],
  peers: readonly string[],
  options: PairOptions & { ours?: string },
): Trial {
  const { ours = 'newzonecore', ...pair } = options;
  const contestants = [contestantOf('ours', pair, ours), ...peers.map((peer) => contestantOf(peer, pair))];
  return { metrics, contestants, warmupRounds: pair.fresh === true ? 0 : 1 };
}

function rate(name: string, unit: string): Metric {
  return { name, unit, better: 'higher' };
}

function cost(name: string, unit: string): Metric {
  return { name, unit, better: 'lower' };
}

/** Import to listening, in a process of its own each time. */
async function measureStartup(adapter: string): Promise<Figures> {
  const child = fork(fileURLToPath(new URL('../transport/startup.js', import.meta.url)), [adapter], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  try {
    return (await nextMessage<DriverMessage, 'figures'>(child, 'figures')).figures;
  } finally {
    child.disconnect();
  }
}

function starting(name: string, options: { adapter?: string; minimumNode?: number } = {}): Contestant {
  const { adapter = name, minimumNode = 20 } = options;
  return { name, minimumNode, open: () => ({ measure: () => measureStartup(adapter) }) };
}

/** Two processes on loopback; the goals are in gates/transport.json. */
export const area: Area = {
  name: 'transport',
  // libp2p 3 does not run on Node 20.
  defaultNode: 24,
  trials: [
    pairs([rate('bulk', 'MB/s')], everybody, { workload: 'bulk' }),
    pairs([rate('write-1k', 'MB/s')], everybody, { workload: 'write-1k' }),
    pairs([cost('rtt-64b-p50', 'us'), cost('rtt-64b-p99', 'us')], everybody, { workload: 'rtt' }),
    pairs([rate('pipelined-64b', 'messages/s')], everybody, { workload: 'pipelined-64b' }),
    pairs([rate('connect-cold', '1/s')], everybody, { workload: 'connect-cold', ours: 'newzonecore-cold' }),
    pairs([rate('connect-cold-portable', '1/s')], ['secret-stream', 'libp2p'], {
      workload: 'connect-cold-portable',
      ours: 'newzonecore-cold-portable',
    }),
    pairs([rate('connect-warm', '1/s')], ['secret-stream', 'tls13', 'libp2p'], {
      workload: 'connect-warm',
      ours: 'newzonecore-warm',
    }),
    pairs([rate('connect-warm-portable', '1/s')], ['secret-stream'], {
      workload: 'connect-warm-portable',
      ours: 'newzonecore-warm-portable',
    }),
    pairs([rate('connect-ik', '1/s')], ['secret-stream'], {
      workload: 'connect-ik',
      ours: 'newzonecore-ik',
    }),
    pairs([rate('streams-seq', '1/s')], ['libp2p'], { workload: 'streams-seq' }),
    pairs([rate('streams-32', '1/s')], ['libp2p'], { workload: 'streams-32' }),
    pairs([cost('idle-heap', 'KB'), cost('idle-rss', 'KB')], ['libp2p', 'secret-stream'], {
      workload: 'idle',
      fresh: true,
    }),
    pairs([rate('ws-bulk', 'MB/s')], ['ws'], { workload: 'ws-bulk', ours: 'newzonecore-ws' }),
    {
      metrics: [cost('startup-ms', 'ms'), cost('startup-rss', 'MB')],
      contestants: [
        starting('ours', { adapter: 'newzonecore' }),
        starting('hyperdht'),
        starting('libp2p', { minimumNode: 22 }),
        starting('tcp'),
      ],
    },
  ],
};
