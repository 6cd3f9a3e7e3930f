import { isAddress } from './address.ts';
import type { AddressEntry, AddressSource } from './address-book.ts';
import { isReach } from './reach.ts';

/** What the address book keeps of one peer. */
export interface PeerRecord {
  readonly entries: readonly AddressEntry[];
  /** X25519, 32 bytes. */
  readonly staticKey: Uint8Array | undefined;
  /** Last connection, or when it became known. Milliseconds since the epoch. */
  readonly usedAt: number;
}

/** JSON in UTF-8: it is small, written by this peer only, and a person can read it when something is wrong. */
export function encodePeerRecord({ entries, staticKey, usedAt }: PeerRecord): Uint8Array {
  const rows = entries.map((one) => [
    one.address,
    one.source,
    one.lastSuccess,
    one.failures,
    one.retryAt,
    one.expiresAt,
    one.reach,
  ]);
  return new TextEncoder().encode(
    JSON.stringify({ version: 1, usedAt, staticKey: staticKey ? [...staticKey] : null, rows }),
  );
}

/** @returns undefined for anything that {@link encodePeerRecord} did not make */
export function decodePeerRecord(bytes: Uint8Array): PeerRecord | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isObject(value) && value['version'] === 1 ? readRecord(value) : undefined;
  } catch {
    return undefined;
  }
}

function readRecord({ usedAt, staticKey, rows }: Record<string, unknown>): PeerRecord | undefined {
  if (!isCount(usedAt) || !Array.isArray(rows) || rows.length > 64) return undefined;
  const entries = rows.map(readEntry);
  if (entries.some((entry) => entry === undefined)) return undefined;
  return { entries: entries as AddressEntry[], staticKey: readKey(staticKey), usedAt };
}

function readEntry(row: unknown): AddressEntry | undefined {
  if (!Array.isArray(row)) return undefined;
  const [address, source, lastSuccess, failures, retryAt, expiresAt, given] = row as unknown[];
  if (typeof address !== 'string' || !isAddress(address) || !isSource(source)) return undefined;
  const isNumeric = [lastSuccess, failures, retryAt, expiresAt].every((one) => isCount(one));
  if (!isNumeric) return undefined;
  // Older records have none.
  const reach = isReach(given) ? given : source === 'learned' ? 'global' : 'loopback';
  return { address, source, lastSuccess, failures, retryAt, expiresAt, reach } as AddressEntry;
}

function readKey(value: unknown): Uint8Array | undefined {
  const isKey =
    Array.isArray(value) && value.length === 32 && value.every((one) => isCount(one) && one < 256);
  return isKey ? Uint8Array.from(value as number[]) : undefined;
}

function isSource(value: unknown): value is AddressSource {
  return value === 'manual' || value === 'proven' || value === 'learned';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
