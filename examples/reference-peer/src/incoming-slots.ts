/** Bounds how much is done at once for all peers, and for each of them. */
export interface IncomingSlots {
  /** Takes a place for a peer; answers what gives it back, or undefined when there is none. */
  take(peer: string): (() => void) | undefined;
}

/** `total` places, of which one peer has `perPeer` at most, so that it cannot keep the others out. */
export function createIncomingSlots({ total, perPeer }: { total: number; perPeer: number }): IncomingSlots {
  const taken = new Map<string, number>();
  let all = 0;
  return {
    take: (peer) => {
      const own = taken.get(peer) ?? 0;
      if (all >= total || own >= perPeer) return undefined;
      all++;
      taken.set(peer, own + 1);
      return () => {
        all--;
        const left = (taken.get(peer) ?? 1) - 1;
        if (left === 0) taken.delete(peer);
        else taken.set(peer, left);
      };
    },
  };
}
