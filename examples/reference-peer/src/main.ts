import { runPeer } from './peer.ts';

process.exitCode = await runPeer(process);
