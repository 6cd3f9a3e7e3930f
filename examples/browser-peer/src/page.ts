import type { PeerId } from '@nzcore/identity';
import { startBrowserPeer } from './peer.ts';

/** What is used of the DOM; the workspace's types are those of every runtime. */
interface PageElement {
  textContent: string | null;
  value: string;
  className: string;
  disabled: boolean;
  append(child: PageElement): void;
  addEventListener(type: 'submit', listener: (event: { preventDefault(): void }) => void): void;
}
interface PageDocument {
  querySelector(selector: string): PageElement | null;
  createElement(name: string): PageElement;
}

const { document } = globalThis as unknown as { document: PageDocument };

function element(selector: string): PageElement {
  const found = document.querySelector(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

function say(kind: 'event' | 'in' | 'out' | 'error', text: string): void {
  const line = document.createElement('li');
  line.className = kind;
  line.textContent = text;
  element('#log').append(line);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const short = (peer: PeerId): string => `…${peer.slice(-8)}`;

const peer = await startBrowserPeer({
  onMessage: (from, text) => say('in', `${short(from)}: ${text}`),
  onEvent: (event) => {
    if (event.type === 'peer-connected') say('event', `connected to ${event.peer}`);
    if (event.type === 'peer-disconnected') say('event', `${event.peer} is gone`);
  },
});
element('#peer').textContent = peer.peerId;
element('#status').textContent = 'ready';
let partner: PeerId | undefined;

element('#connect').addEventListener('submit', (event) => {
  event.preventDefault();
  element('#status').textContent = 'connecting';
  peer.manager.connect(element('#address').value.trim()).then(
    (connection) => {
      partner = connection.remotePeer;
      element('#status').textContent = `connected to ${partner}`;
      element('#text').disabled = false;
    },
    (error: unknown) => {
      element('#status').textContent = 'not connected';
      say('error', reason(error));
    },
  );
});

element('#send').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = element('#text').value;
  if (!partner || text === '') return;
  element('#text').value = '';
  peer.send(partner, text).then(
    () => say('out', `you: ${text}`),
    (error: unknown) => say('error', `not sent: ${reason(error)}`),
  );
});
