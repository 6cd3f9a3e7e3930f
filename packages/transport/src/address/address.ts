import { isPeerId, type PeerId } from '@nzcore/identity';
import { TransportError } from '../errors.ts';
import { formatIp, type IpBytes, parseIp, parseIp4, parseIp6 } from './ip.ts';

/**
 * Addresses are multiaddr text, over the few protocols that a transport of this package can dial:
 *
 *   /ip4/192.0.2.1/tcp/4001                      TCP
 *   /ip6/2001:db8::1/tcp/4001/ws                 WebSocket (`/http-path/%2Fpeer` for a path)
 *   /dns4/peer.example/tcp/443/tls/ws            WebSocket over TLS (`/wss` is read as that)
 *   /ip4/192.0.2.1/udp/4001                      datagram sessions
 *   /memory/alice                                in this process
 *
 * each followed by `/p2p/z6Mk…` when the peer is known.
 */

/** Longest text that is parsed; a host name of 253 characters and a path fit. */
export const MAX_ADDRESS_LENGTH = 1024;

/** How an address is dialled. */
export type AddressKind = 'tcp' | 'ws' | 'wss' | 'udp' | 'memory';

/** A parsed and validated address. */
export interface ParsedAddress {
  readonly kind: AddressKind;
  /** IP text in canonical form, a host name in lower case, or the name of a memory listener. */
  readonly host: string;
  readonly family: 'ip4' | 'ip6' | 'dns' | 'dns4' | 'dns6' | 'memory';
  /** The IP address as bytes; undefined for names. */
  readonly ip: IpBytes | undefined;
  /** 0 for memory, and for "any port" when listening. */
  readonly port: number;
  /** Request path of a WebSocket, `/` unless given. */
  readonly path: string;
  /** What stands behind `/p2p/`. */
  readonly peer: PeerId | undefined;
  /** Canonical text without `/p2p`. */
  readonly text: string;
}

const MEMORY_NAME = /^[A-Za-z0-9._~-]{1,64}$/;
const DNS_LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * Parses multiaddr text.
 * @throws TransportError `INVALID_ADDRESS` for anything that is not one of the forms above.
 */
export function parseAddress(text: string): ParsedAddress {
  if (typeof text !== 'string') throw new TypeError('an address is a string');
  if (text.length > MAX_ADDRESS_LENGTH || !text.startsWith('/')) throw invalid(text);
  const reader = createReader(text);
  const family = reader.next();
  const address = family === 'memory' ? readMemory(reader) : readHost(reader, family);
  const peer = readPeer(reader);
  if (!reader.isDone()) throw invalid(text);
  return { ...address, peer };
}

type Reader = ReturnType<typeof createReader>;
type AddressBody = Omit<ParsedAddress, 'peer'>;

function createReader(text: string): {
  readonly text: string;
  next(): string;
  take(...words: string[]): string | undefined;
  isDone(): boolean;
} {
  const parts = text.slice(1).split('/');
  let at = 0;
  return {
    text,
    next: (): string => {
      const part = parts[at++];
      if (part === undefined) throw invalid(text);
      return part;
    },
    take: (...words): string | undefined => {
      const part = parts[at];
      if (part === undefined || !words.includes(part)) return undefined;
      at++;
      return part;
    },
    isDone: (): boolean => at === parts.length,
  };
}

function readMemory(reader: Reader): AddressBody {
  const host = reader.next();
  if (!MEMORY_NAME.test(host)) throw invalid(reader.text);
  const text = `/memory/${host}`;
  return { kind: 'memory', host, family: 'memory', ip: undefined, port: 0, path: '/', text };
}

function readHost(reader: Reader, family: string): AddressBody {
  const { host, ip } = readName(reader, family);
  const layer = reader.take('tcp', 'udp');
  if (!layer) throw invalid(reader.text);
  const port = readPort(reader);
  const base = { host, ip, family: family as ParsedAddress['family'], port };
  const stem = `/${family}/${host}/${layer}/${port}`;
  if (layer === 'udp') return { ...base, kind: 'udp', path: '/', text: stem };
  const kind = readSecurity(reader);
  if (kind === 'tcp') return { ...base, kind, path: '/', text: stem };
  const path = reader.take('http-path') ? readPath(reader) : '/';
  const suffix = path === '/' ? '' : `/http-path/${encodeURIComponent(path)}`;
  return { ...base, kind, path, text: `${stem}${kind === 'wss' ? '/tls' : ''}/ws${suffix}` };
}

function readName(reader: Reader, family: string): { host: string; ip: IpBytes | undefined } {
  const value = reader.next();
  if (family === 'ip4' || family === 'ip6') {
    const ip = family === 'ip4' ? parseIp4(value) : parseIp6(value);
    // An IPv4-mapped IPv6 address would be a second name of one host, past bans and limits.
    if (!ip || ip.length !== parseIp(value)!.length) throw invalid(reader.text);
    return { host: formatIp(ip), ip };
  }
  if (family !== 'dns' && family !== 'dns4' && family !== 'dns6') throw invalid(reader.text);
  const host = value.toLowerCase().replace(/\.$/, '');
  // A name of digits alone in its last label could be read as an IPv4 address by some resolvers.
  const labels = host.split('.');
  const isName = host.length <= 253 && labels.every((label) => DNS_LABEL.test(label));
  if (!isName || /^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1)!)) throw invalid(reader.text);
  return { host, ip: undefined };
}

function readPort(reader: Reader): number {
  const digits = reader.next();
  if (!/^(?:0|[1-9]\d{0,4})$/.test(digits) || Number(digits) > 65_535) throw invalid(reader.text);
  return Number(digits);
}

function readSecurity(reader: Reader): 'tcp' | 'ws' | 'wss' {
  if (reader.take('wss')) return 'wss';
  if (reader.take('tls')) {
    if (!reader.take('ws', 'wss')) throw invalid(reader.text);
    return 'wss';
  }
  return reader.take('ws') ? 'ws' : 'tcp';
}

function readPath(reader: Reader): string {
  let path: string;
  try {
    path = decodeURIComponent(reader.next());
  } catch (cause) {
    throw invalid(reader.text, cause);
  }
  if (!path.startsWith('/')) path = `/${path}`;
  // Printable ASCII without fragment or query: it goes into a request line as it is.
  if (!/^[\x21-\x7e]+$/.test(path) || /[#?\\]/.test(path)) throw invalid(reader.text);
  return path;
}

function readPeer(reader: Reader): PeerId | undefined {
  if (!reader.take('p2p')) return undefined;
  const peer = reader.next();
  if (!isPeerId(peer)) throw invalid(reader.text);
  return peer;
}

function invalid(text: string, cause?: unknown): TransportError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new TransportError('INVALID_ADDRESS', `not an address: ${JSON.stringify(shown)}`, { cause });
}

/** Says whether {@link parseAddress} accepts the text. */
export function isAddress(text: string): boolean {
  return tryParseAddress(text) !== undefined;
}

/** {@link parseAddress}, with undefined for text that is not an address. */
export function tryParseAddress(text: string): ParsedAddress | undefined {
  try {
    return parseAddress(text);
  } catch {
    return undefined;
  }
}

/** What {@link formatAddress} makes text of. */
export interface AddressParts {
  readonly kind: AddressKind;
  /** IP text, host name, or memory name. An IPv6 zone (`%eth0`) is dropped, an IPv4-mapped address is unmapped. */
  readonly host: string;
  /** @defaultValue 0 */
  readonly port?: number;
  /** @defaultValue `/` */
  readonly path?: string;
  readonly peer?: string;
}

/**
 * Formats canonical multiaddr text.
 * @throws TransportError `INVALID_ADDRESS` when the parts make none.
 */
export function formatAddress({ kind, host, port = 0, path = '/', peer }: AddressParts): string {
  const tail = peer === undefined ? '' : `/p2p/${peer}`;
  if (kind === 'memory') return formatParsed(`/memory/${host}${tail}`);
  const plain = host.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  const ip = parseIp(plain);
  const unmapped = ip ? formatIp(ip) : plain;
  const family = ip ? (ip.length === 4 ? 'ip4' : 'ip6') : 'dns';
  const layer = kind === 'udp' ? 'udp' : 'tcp';
  const security = kind === 'ws' ? '/ws' : kind === 'wss' ? '/tls/ws' : '';
  const suffix = security && path !== '/' ? `/http-path/${encodeURIComponent(path)}` : '';
  return formatParsed(`/${family}/${unmapped}/${layer}/${port}${security}${suffix}${tail}`);
}

function formatParsed(text: string): string {
  const { text: canonical, peer } = parseAddress(text);
  return peer === undefined ? canonical : `${canonical}/p2p/${peer}`;
}
