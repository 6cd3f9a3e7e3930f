/** What an attacker is told. It runs in a process of its own, at the lowest priority: the machine it would have is not ours. */
export interface AttackOptions {
  readonly port: number;
  readonly udpPort: number;
  /** PeerId of the victim, for attackers that authenticate themselves. */
  readonly peerId: string;
  /** How hard: 1 is the full attack, the suite runs a small part of it. */
  readonly scale: number;
  /** Aborted when the measurement is over. An attack that has more to do goes on until then. */
  readonly signal: AbortSignal;
}

/** What an attack did, so that a run in which the attacker never got anywhere does not count as a defence. */
export interface AttackReport {
  /** How many of what were done, such as `{ opens: 1000000 }`. */
  readonly done: Readonly<Record<string, number>>;
}

/** One way to hurt a peer. Module `attacks/<name>.ts` exports it as `attack`. */
export type Attack = (options: AttackOptions) => Promise<AttackReport>;
