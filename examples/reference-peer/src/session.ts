import type { PeerId } from '@nzcore/identity';
import type { PeerNode } from '@nzcore/node';
import type { Stream } from '@nzcore/transport';
import { type Command, CommandError, commandHelp, findPeer } from './commands.ts';
import { FILE_PROTOCOL, receiveFile, refuseFile, sendFile } from './file-transfer.ts';
import { FileTransferError } from './file-transfer-error.ts';
import { createIncomingSlots } from './incoming-slots.ts';
import { formatBytes, type Output, printable } from './output.ts';
import type { ReceivedFiles } from './received-files.ts';

export interface SessionOptions {
  readonly node: PeerNode;
  readonly output: Output;
  readonly files: ReceivedFiles;
  /** Ends everything that the session still does. */
  readonly signal: AbortSignal;
  readonly quit: () => void;
}

// Each holds a file and a hash open; a peer that opens more is told to come again.
const INCOMING_FILES = { total: 16, perPeer: 4 };

function messageFields(bytes: Uint8Array): { text: string } | { base64: string } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}

async function acceptFile(stream: Stream, { output, files }: SessionOptions): Promise<void> {
  const from = stream.connection.remotePeer;
  try {
    const { name, path, bytes, sha256 } = await receiveFile(stream, { files });
    output.tell(
      { event: 'file', from, name, path, bytes, sha256 },
      `file from ${from}: ${printable(name)} (${formatBytes(bytes)}) saved as ${path}`,
    );
  } catch (error) {
    const { message } = error as Error;
    output.tell(
      { event: 'file-failed', from, message },
      `a file from ${from} did not arrive: ${printable(message)}`,
    );
  }
}

/** Shows what arrives: messages and files of any peer that connects. */
export function receiveEverything(options: SessionOptions): void {
  const { node, output } = options;
  const slots = createIncomingSlots(INCOMING_FILES);
  node.onMessage(({ from, bytes }) => {
    const fields = messageFields(bytes);
    const shown = 'text' in fields ? printable(fields.text) : `${formatBytes(bytes.length)} that are no text`;
    output.tell({ event: 'message', from, ...fields }, `${from}: ${shown}`);
  });
  node.handle(FILE_PROTOCOL, (stream) => {
    const release = slots.take(stream.connection.remotePeer);
    if (release === undefined) {
      const busy = new FileTransferError('busy', 'too many files are arriving; try again later');
      refuseFile(stream, busy).catch(() => undefined);
      return;
    }
    void acceptFile(stream, options).finally(release);
  });
}

function tellPeers({ node, output }: SessionOptions): void {
  const connected = node.peers();
  const known = node.knownPeers().filter((peer) => !connected.some(({ peerId }) => peerId === peer));
  const lines = connected.map(({ peerId, address, direction }) => {
    return `  ${peerId}  connected, ${direction === 'inbound' ? 'from' : 'to'} ${address}`;
  });
  lines.push(...known.map((peer) => `  ${peer}  known, not connected`));
  const text = lines.length === 0 ? '  no peer is known yet; connect <address>' : lines.join('\n');
  output.tell({ event: 'peers', connected, known }, text);
}

async function send(peer: PeerId, text: string, { node, output, signal }: SessionOptions): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const started = performance.now();
  await node.send(peer, bytes, { signal });
  const milliseconds = Math.round(performance.now() - started);
  output.tell(
    { event: 'sent', to: peer, bytes: bytes.length, milliseconds },
    `arrived after ${milliseconds} ms`,
  );
}

async function sendFileTo(
  peer: PeerId,
  path: string,
  { node, output, signal }: SessionOptions,
): Promise<void> {
  const started = performance.now();
  const openStream = () => node.openStream(peer, FILE_PROTOCOL, { signal });
  const { name, bytes, sha256 } = await sendFile(path, openStream, { signal });
  const milliseconds = Math.round(performance.now() - started);
  output.tell(
    { event: 'file-sent', to: peer, name, bytes, sha256, milliseconds },
    `${printable(name)} (${formatBytes(bytes)}) is on the other peer's disk after ${(milliseconds / 1000).toFixed(1)} s`,
  );
}

async function connect(address: string, { node, output, signal }: SessionOptions): Promise<void> {
  const peerId = await node.connect(address, { signal });
  output.tell({ event: 'connected-to', peerId, address }, `connected to ${peerId}`);
}

async function perform(command: Command, options: SessionOptions): Promise<void> {
  const { node, output, quit } = options;
  const known = () => [...node.peers().map(({ peerId }) => peerId), ...node.knownPeers()];
  switch (command.name) {
    case 'send':
      return send(findPeer(command.peer, known()), command.text, options);
    case 'send-file':
      return sendFileTo(findPeer(command.peer, known()), command.path, options);
    case 'connect':
      return connect(command.address, options);
    case 'peers':
      return tellPeers(options);
    case 'address':
      return output.tell({ event: 'address', addresses: node.addresses }, `  ${node.addresses.join('\n  ')}`);
    case 'help':
      return output.tell({ event: 'help', text: commandHelp }, commandHelp);
    case 'quit':
      return quit();
  }
}

/** Does what was typed and tells the result, also when it failed. */
export async function execute(command: Command, options: SessionOptions): Promise<void> {
  try {
    await perform(command, options);
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    const fields = { command: command.name, message, ...(code === undefined ? {} : { code }) };
    const subject = error instanceof CommandError ? '' : `${command.name} failed: `;
    options.output.tell({ event: 'error', ...fields }, `${subject}${printable(message)}`);
  }
}
