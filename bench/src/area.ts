/** One figure that is measured, and so one row a peer in the table. */
export interface Metric {
  /** The row's name, such as `write-1k`. */
  readonly name: string;
  /** What is counted, such as `MB/s` or `us`. */
  readonly unit: string;
  readonly better: 'higher' | 'lower';
}

/** What one measurement gave: the figure, or one figure by metric name when the trial has several. */
export type Figures = number | Readonly<Record<string, number>>;

/** A contestant that is ready to be measured again and again. */
export interface Run {
  /** One measurement: a few hundred milliseconds, long enough to be stable, short enough to be taken in turn. */
  measure(): Figures | Promise<Figures>;
  /** Ends processes, closes files. */
  close?(): void | Promise<void>;
}

/** One way to do what the trial measures: ours or a peer's. */
export interface Contestant {
  /** `ours`, or the peer's name. */
  readonly name: string;
  /** The lowest major version of Node that it runs on; on an older one it is left out. */
  readonly minimumNode?: number;
  open(): Run | Promise<Run>;
}

/** Contestants that are measured in turn for the same metrics. Exactly one of them is named `ours`. */
export interface Trial {
  readonly metrics: readonly Metric[];
  readonly contestants: readonly Contestant[];
  /**
   * How often each contestant has its turn in a round; its figure for the round is the median. Several short turns keep
   * contestants within the same moment of a busy machine, where one long turn each does not. @defaultValue 1
   */
  readonly turns?: number;
  /** Rounds whose figures are thrown away, so that code is compiled and windows are open. @defaultValue 1 */
  readonly warmupRounds?: number;
  /** When a measurement is given up, in milliseconds. @defaultValue 60,000 */
  readonly timeout?: number;
}

/** What `pnpm bench <area>` runs. `src/areas/<area>.ts` exports one as `area`. */
export interface Area {
  readonly name: string;
  /** @defaultValue 7 */
  readonly defaultRounds?: number;
  /** The Node that the area runs on unless `--node` says otherwise. @defaultValue the Node that runs the command */
  readonly defaultNode?: 20 | 24;
  readonly trials: readonly Trial[];
}

/** A trial of one metric: the common case. */
export function compare(metric: Metric, contestants: readonly Contestant[]): Trial {
  return { metrics: [metric], contestants };
}
