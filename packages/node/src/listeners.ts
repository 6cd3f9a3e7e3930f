import { type ConnectionManager, TransportError } from '@nzcore/transport';
import type { NodeParts } from './parts.ts';

function isTaken(error: unknown): boolean {
  return (
    error instanceof TransportError && (error.cause as { code?: string } | undefined)?.code === 'EADDRINUSE'
  );
}

async function listenOnFirstFree(
  connections: ConnectionManager,
  [address, ...others]: readonly string[],
): Promise<readonly string[]> {
  if (address === undefined) return [];
  try {
    return await connections.listen(address);
  } catch (error) {
    if (others.length === 0 || !isTaken(error)) throw error;
    return listenOnFirstFree(connections, others);
  }
}

/**
 * Listens on the configured addresses, or on the first free one of each group of the parts' own.
 *
 * @returns the bound addresses
 * @throws TransportError `LISTEN_FAILED`
 */
export async function openListeners(
  connections: ConnectionManager,
  configured: readonly string[] | undefined,
  { defaultListen = [] }: Pick<NodeParts, 'defaultListen'>,
): Promise<readonly string[]> {
  const groups = configured?.map((address) => [address]) ?? defaultListen;
  const bound: string[] = [];
  for (const group of groups) bound.push(...(await listenOnFirstFree(connections, group)));
  return bound;
}
