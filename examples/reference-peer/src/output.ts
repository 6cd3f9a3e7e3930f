/** One thing that happened, as `--json` prints it: a name and plain values. */
export type PeerEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

/** Where the peer says what happens: for people, or one JSON line for each event. */
export interface Output {
  /** `text` is what a person reads; undefined when only programs care. */
  tell(event: PeerEvent, text: string | undefined): void;
}

/**
 * Makes text of another peer harmless for a terminal: control and formatting characters, which could move the cursor or
 * hide something, become visible.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

/** A number of bytes for people, in units of 1024. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

/** One JSON line for each event. */
export function createJsonOutput(write: (text: string) => void): Output {
  return { tell: (event) => write(`${JSON.stringify(event)}\n`) };
}

/** Lines for people. */
export function createTextOutput(write: (text: string) => void): Output {
  return {
    tell: (_event, text) => {
      if (text !== undefined) write(`${text}\n`);
    },
  };
}
