import { runPeer } from './peer.ts';

// Whatever this process makes, LevelDB's files too, is its owner's alone.
process.umask(0o077);
process.exitCode = await runPeer(process);
