import { backOffDelay } from '../manager/back-off.ts';
import type { Random } from '../time/clock.ts';
import type { AddressEntry, AddressSource } from './address-book.ts';
import { nearer } from './reach.ts';

/** Of one peer: enough for a few transports on two families and two networks. */
export const MAX_ADDRESSES = 16;
/** Of those, from strangers: they can never push out what was proven or configured. */
export const MAX_LEARNED = 8;

/** An address that worked, and has failed ever since, is forgotten after 30 days. */
const PROVEN_TTL = 30 * 24 * 3_600_000;

/** The better source wins, and what is known about its success stays. */
export function mergeEntries(old: AddressEntry, next: AddressEntry): AddressEntry {
  const order: readonly AddressSource[] = ['learned', 'proven', 'manual'];
  const source = order.indexOf(next.source) > order.indexOf(old.source) ? next.source : old.source;
  const expiresAt = Math.max(old.expiresAt, next.expiresAt);
  // A claim does not undo a failure; a success does.
  const history = next.lastSuccess > 0 ? next : old;
  // Whoever first told of it, or somebody nearer, decides how near it may lead: that it worked once is no reason to follow it home.
  const reach = nearer(old.reach, next.source === 'proven' ? 'global' : next.reach);
  return { ...history, address: old.address, source, expiresAt, reach };
}

/** Drops the least worthy learned or long unproven entry when there are too many. */
export function makeRoom(entries: AddressEntry[], entry: AddressEntry): boolean {
  const learned = entries.filter(({ source }) => source === 'learned');
  const isFull = entries.length >= MAX_ADDRESSES;
  if (!isFull && (entry.source !== 'learned' || learned.length < MAX_LEARNED)) return true;
  const victims = entry.source === 'learned' ? learned : entries.filter(({ source }) => source !== 'manual');
  const rankOf = (one: AddressEntry): number => (one.source === 'learned' ? 0 : 1);
  victims.sort((a, b) => rankOf(a) - rankOf(b) || b.failures - a.failures || a.lastSuccess - b.lastSuccess);
  const victim = victims[0];
  // A stranger's new claim replaces only another claim, and only one that has failed.
  if (!victim || (entry.source === 'learned' && victim.failures === 0)) return false;
  entries.splice(entries.indexOf(victim), 1);
  return true;
}

/** Counts a failure; undefined when the address is not worth keeping any longer. */
export function failedEntry(
  entry: AddressEntry,
  { now, random }: { readonly now: number; readonly random: Random },
): AddressEntry | undefined {
  const failures = entry.failures + 1;
  // What only a stranger claimed and never worked is not kept for long.
  if (entry.source === 'learned' && failures >= 5) return undefined;
  if (entry.source === 'proven' && failures >= 10 && entry.lastSuccess < now - PROVEN_TTL) return undefined;
  return { ...entry, failures, retryAt: now + backOffDelay(failures, random) };
}
