import { type Gate, gatesOf, standingOf } from './gates.ts';
import type { Row } from './rounds.ts';

/** What the rows of one run have in common. */
export interface ReportContext {
  readonly area: string;
  /** The version of Node that both sides ran on. */
  readonly node: string;
}

/** One line of JSON for a row. */
export function formatJsonRow(row: Row, { area, node }: ReportContext): string {
  const { metric, peer, rounds } = row;
  const [ours, theirs, ratio] = [row.ours, row.theirs, row.ratio].map((value) =>
    Number(value.toPrecision(5)),
  );
  return JSON.stringify({ area, metric: metric.name, ours, peer, theirs, ratio, rounds, node });
}

/** The head of the table that {@link formatMarkdownRow} fills. */
export const markdownHead = `| row | unit | ours | peer | theirs | ours / theirs | goal | stands |
|---|---|---:|---|---:|---:|---|---|`;

/** One line of a table in Markdown for a row. */
export function formatMarkdownRow(row: Row, gates: readonly Gate[]): string {
  const goals = gatesOf(gates, row)
    .map((gate) => formatGate(gate, row))
    .join('; ');
  const standing = standingOf(gates, row);
  const cells = [
    row.metric.name,
    row.metric.unit,
    formatNumber(row.ours),
    row.peer,
    formatNumber(row.theirs),
    `${formatNumber(row.ratio)}`,
    goals,
    standing === 'no goal' ? '' : standing,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The rows of one metric as lines of text. */
export function formatTable(rows: readonly Row[], gates: readonly Gate[]): string {
  const [first] = rows;
  if (first === undefined) return '';
  const { name, unit, better } = first.metric;
  const lines = rows.map((row) => {
    const ratio = `${formatNumber(row.ratio)}x`.padStart(8);
    const spread = `${formatNumber(row.spread[0])}..${formatNumber(row.spread[1])}`.padEnd(17);
    const goals = gatesOf(gates, row)
      .map((gate) => formatGate(gate, row))
      .join('; ');
    const standing = standingOf(gates, row);
    return `  ${row.peer.padEnd(22)}${formatNumber(row.theirs).padStart(10)}${ratio}  ${spread}${standing === 'no goal' ? '' : `${standing} (${goals})`}`;
  });
  const own = `  ${'ours'.padEnd(22)}${formatNumber(first.ours).padStart(10)}`;
  return [`${name}, ${unit}, ${better} is better, median of ${first.rounds} rounds`, own, ...lines]
    .join('\n')
    .replace(/ +$/gm, '');
}

function formatGate({ of, gate, limit, stretch }: Gate, { metric }: Row): string {
  const sign = metric.better === 'higher' ? '>=' : '<=';
  const unit = of === 'ratio' ? 'x' : ` ${metric.unit}`;
  if (limit !== undefined) return `gate ${Math.min(gate, limit)} to ${Math.max(gate, limit)}${unit}`;
  return `gate ${sign} ${gate}${unit}${stretch === undefined ? '' : `, stretch ${stretch}${unit}`}`;
}

function formatNumber(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}
