/**
 * Addresses under which other machines reach a bound address: for `0.0.0.0` and `::`, one for each interface of
 * that family, loopback last; otherwise the address itself.
 */
export function reachableAddresses(bound: string): readonly string[] {
  const match = /^\/(ip4|ip6)\/(0\.0\.0\.0|::)(\/.*)$/.exec(bound);
  if (match === null) return [bound];
  const [, protocol, , rest] = match;
  const family = protocol === 'ip4' ? 'IPv4' : 'IPv6';
  // Asked for here: a process that listens on one address starts without it.
  const { networkInterfaces } = process.getBuiltinModule('node:os');
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  // Link-local addresses mean nothing without the other machine's own zone.
  const usable = own.filter(
    (entry) => entry.family === family && !/^(fe80:|169\.254\.)/i.test(entry.address),
  );
  const ordered = usable.toSorted((a, b) => Number(a.internal) - Number(b.internal));
  return ordered.map(({ address }) => `/${protocol}/${address}${rest}`);
}
