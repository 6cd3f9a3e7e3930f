import { TransportError } from '../errors.ts';
import type { ConnectionManager } from './connection-manager.ts';

function isTaken(error: unknown): boolean {
  return (
    error instanceof TransportError && (error.cause as { code?: string } | undefined)?.code === 'EADDRINUSE'
  );
}

/**
 * Listens on the first of these addresses that no other program has.
 *
 * @returns the bound addresses; none when `addresses` is empty
 * @throws TransportError `LISTEN_FAILED` when all are taken, or one fails for another reason
 */
export async function listenOnFirstFree(
  connections: Pick<ConnectionManager, 'listen'>,
  addresses: readonly string[],
): Promise<readonly string[]> {
  for (const [index, address] of addresses.entries()) {
    try {
      return await connections.listen(address);
    } catch (error) {
      if (index === addresses.length - 1 || !isTaken(error)) throw error;
    }
  }
  return [];
}
