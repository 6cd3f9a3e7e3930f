import type { PeerNode } from '@nzcore/node';
import type { Output, PeerEvent } from './output.ts';
import { printable } from './output.ts';
import type { GeneratedPassphrase } from './passphrase.ts';

/** What is said when the peer can be reached. */
export interface ReadyReport {
  readonly node: PeerNode;
  readonly dataDir: string;
  /** The curves of handshakes are computed by sodium-native. */
  readonly isNative: boolean;
  /** Undefined when somebody gave the passphrase. */
  readonly generated: GeneratedPassphrase | undefined;
}

export function readyEvent({ node, dataDir, isNative }: ReadyReport): PeerEvent {
  const { peerId, addresses } = node;
  return {
    event: 'ready',
    peerId,
    addresses,
    dataDir,
    pid: process.pid,
    curves: isNative ? 'native' : 'portable',
  };
}

function passphraseLines(generated: GeneratedPassphrase | undefined): string[] {
  if (generated === undefined) return [];
  const what = generated.isNew ? 'generated just now, kept in' : 'kept in';
  return [
    `passphrase  ${what} ${generated.file}`,
    '            It protects a copied or stolen data directory, not this account. Keep a copy of it with your backups.',
  ];
}

function quote(path: string): string {
  return /^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** For people: who the peer is, and a line to copy to a second terminal. */
export function readyText(report: ReadyReport): string {
  const { node, dataDir, generated } = report;
  const [first = ''] = node.addresses;
  const listening = node.addresses.map(
    (address, index) => `${index === 0 ? 'addresses  ' : '           '} ${address}`,
  );
  return [
    `peer        ${node.peerId}`,
    ...listening,
    `data        ${dataDir}`,
    ...passphraseLines(generated),
    '',
    ...(first === ''
      ? ['It listens nowhere: it reaches others, and they cannot reach it.']
      : [
          'To connect a second peer, run this in another terminal or, with an address it can reach, on another machine:',
          '',
          `  npx -y pnpm@12 start --data-dir ${quote(`${dataDir}-2`)} --bootstrap ${first}`,
        ]),
    '',
    'Type help for the commands; quit or Ctrl-C stops the peer.',
  ].join('\n');
}

/** What a person wants to know of a failed dial: not the address again. */
function dialReason(message: string): string {
  const reason = message.replace(/^\/\S+: /, '');
  if (reason.includes('ECONNREFUSED')) return 'nobody listens there now';
  return printable(reason);
}

/** Tells when peers come and go, from before the start. A person is told of each failing address once until its peer is there. */
export function tellConnections(node: PeerNode, output: Output): void {
  const unreachable = new Map<string, Set<string>>();
  node.on('connected', ({ peerId, address, direction }) => {
    unreachable.delete(peerId);
    const way = direction === 'inbound' ? 'from' : 'to';
    output.tell({ event: 'connected', peerId, address, direction }, `connected  ${peerId} ${way} ${address}`);
  });
  node.on('disconnected', ({ peerId, reason }) => {
    output.tell({ event: 'disconnected', peerId, reason }, `disconnected  ${peerId}: ${printable(reason)}`);
  });
  node.on('dialFailed', ({ peerId, address, code, message }) => {
    const who = peerId ?? 'a peer';
    const told = unreachable.get(who) ?? new Set<string>();
    const text = told.has(address) ? undefined : `cannot reach ${who} at ${address}: ${dialReason(message)}`;
    unreachable.set(who, told.add(address));
    output.tell({ event: 'dial-failed', peerId, address, code, message }, text);
  });
}
