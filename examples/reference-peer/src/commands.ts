import { isPeerId, type PeerId } from '@nzcore/identity';

/** What a person can type. */
export type Command =
  | { readonly name: 'send'; readonly peer: string; readonly text: string }
  | { readonly name: 'send-file'; readonly peer: string; readonly path: string }
  | { readonly name: 'connect'; readonly address: string }
  | { readonly name: 'peers' | 'address' | 'help' | 'quit' };

/** What `help` prints. */
export const commandHelp = `  send <peer> <text>       sends a message and waits until it has arrived
  send-file <peer> <path>  sends a file and waits until it is on the other peer's disk
  peers                    peers that are connected, and others that are known
  connect <address>        connects to /ip4/…/tcp/…/p2p/z6Mk…
  address                  how others reach this peer
  help                     this text
  quit                     stops the peer
<peer> is a PeerId or a part of one that fits only one peer, such as its last letters.`;

/** A line that is no command. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}

/**
 * Reads a line; undefined for an empty one.
 *
 * @throws CommandError with what was expected
 */
export function parseCommand(line: string): Command | undefined {
  const [, name = '', rest = ''] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(line) ?? [];
  const [, peer = '', argument = ''] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  switch (name) {
    case '':
      return undefined;
    case 'send':
      if (argument === '') throw new CommandError('usage: send <peer> <text>');
      return { name, peer, text: argument };
    case 'send-file':
      if (argument === '') throw new CommandError('usage: send-file <peer> <path>');
      return { name, peer, path: argument };
    case 'connect':
      if (rest === '') throw new CommandError('usage: connect <address>');
      return { name, address: rest };
    case 'peers':
    case 'address':
    case 'help':
    case 'quit':
      if (rest !== '') throw new CommandError(`${name} takes nothing after it`);
      return { name };
    default:
      throw new CommandError(`there is no command "${name}"; type help`);
  }
}

/**
 * The peer that a person means: a whole PeerId, or a part of exactly one that is known.
 *
 * @throws CommandError when it is none or several
 */
export function findPeer(text: string, known: readonly PeerId[]): PeerId {
  if (isPeerId(text)) return text;
  const fitting = [...new Set(known)].filter((peer) => peer.includes(text));
  const [peer] = fitting;
  if (peer === undefined) throw new CommandError(`no known peer has "${text}" in its name; type peers`);
  if (fitting.length > 1)
    throw new CommandError(`"${text}" fits ${fitting.length} peers; type more of the name`);
  return peer;
}
