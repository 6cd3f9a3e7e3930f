import { concat } from '../concat.ts';

/**
 * Packets of datagram sessions (NZ-DATAGRAM-01 §2). The first byte is outside of what STUN, TURN channels, DTLS and RTP use (RFC 7983 §7), so that they can
 * share a socket with them.
 *
 *   HELLO      0x5a | sender session (8) | length (2) | handshake message | zeros up to 1200 bytes in all
 *   HANDSHAKE  0x5b | receiver session (8) | sender session (8) | handshake message
 *   DATA       0x5c | receiver session (8) | datagram of NZ-CHANNEL-01 §7
 *
 * The plaintext of DATA, and the early data of a HELLO, is one exchange:
 *
 *   REQUEST 0x01, RESPONSE 0x02 or REFUSAL 0x03 | request number (4) | content
 */

/** Longest packet: what passes every IPv6 link (RFC 9000 §14.1 uses the same). */
export const MAX_PACKET = 1200;

export type Packet =
  | { readonly type: 'hello'; readonly sender: string; readonly message: Uint8Array }
  | {
      readonly type: 'handshake';
      readonly receiver: string;
      readonly sender: string;
      readonly message: Uint8Array;
    }
  | { readonly type: 'data'; readonly receiver: string; readonly datagram: Uint8Array };

export type Exchange = {
  readonly type: 'request' | 'response' | 'refusal';
  readonly number: number;
  readonly content: Uint8Array;
};

const HELLO = 0x5a;
const HANDSHAKE = 0x5b;
const DATA = 0x5c;
const SESSION_LENGTH = 8;
const EXCHANGES = ['request', 'response', 'refusal'] as const;

/** Says whether a datagram on a shared socket is for datagram sessions. */
export function isSessionPacket(bytes: Uint8Array): boolean {
  return bytes[0] === HELLO || bytes[0] === HANDSHAKE || bytes[0] === DATA;
}

/** @returns undefined for anything else; the parts are views of `bytes` */
export function decodePacket(bytes: Uint8Array): Packet | undefined {
  if (bytes.length > MAX_PACKET || bytes.length < 1 + SESSION_LENGTH + 2) return undefined;
  const first = toHex(bytes.subarray(1, 9));
  if (bytes[0] === DATA) return { type: 'data', receiver: first, datagram: bytes.subarray(9) };
  if (bytes[0] === HELLO) {
    const length = (bytes[9]! << 8) | bytes[10]!;
    // Shorter ones would make this side send more than it got: padding is the sender's price for the answer.
    if (bytes.length !== MAX_PACKET || length > bytes.length - 11) return undefined;
    return { type: 'hello', sender: first, message: bytes.subarray(11, 11 + length) };
  }
  if (bytes[0] !== HANDSHAKE || bytes.length < 17) return undefined;
  return {
    type: 'handshake',
    receiver: first,
    sender: toHex(bytes.subarray(9, 17)),
    message: bytes.subarray(17),
  };
}

/** @returns undefined when the message is too long for one packet */
export function encodeHello(sender: string, message: Uint8Array): Uint8Array | undefined {
  if (message.length > MAX_PACKET - 11) return undefined;
  const packet = new Uint8Array(MAX_PACKET);
  packet[0] = HELLO;
  packet.set(fromHex(sender), 1);
  packet[9] = message.length >> 8;
  packet[10] = message.length & 0xff;
  packet.set(message, 11);
  return packet;
}

export function encodeHandshake(receiver: string, sender: string, message: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(HANDSHAKE), fromHex(receiver), fromHex(sender), message]);
}

export function encodeData(receiver: string, datagram: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(DATA), fromHex(receiver), datagram]);
}

export function encodeExchange({ type, number, content }: Exchange): Uint8Array {
  const bytes = new Uint8Array(5 + content.length);
  bytes[0] = EXCHANGES.indexOf(type) + 1;
  new DataView(bytes.buffer).setUint32(1, number);
  bytes.set(content, 5);
  return bytes;
}

/** @returns undefined for anything else; the content is a view of `bytes` */
export function decodeExchange(bytes: Uint8Array): Exchange | undefined {
  const type = EXCHANGES[(bytes[0] ?? 0) - 1];
  if (!type || bytes.length < 5) return undefined;
  const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  return { type, number, content: bytes.subarray(5) };
}

export function sessionName(random: Uint8Array): string {
  return toHex(random.subarray(0, SESSION_LENGTH));
}

function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}
