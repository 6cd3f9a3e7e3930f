/** An entry that is going to be written. */
export interface WaitingEntry {
  readonly data: Uint8Array;
  readonly sync: boolean;
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: unknown) => void;
}

// One write for what came together; more would only hold memory.
const MAX_GROUP_BYTES = 1_048_576;

/** Takes the first entries off that are written together. */
export function takeGroup(waiting: WaitingEntry[]): WaitingEntry[] {
  let bytes = 0;
  let count = 0;
  for (const { data } of waiting) {
    bytes += data.length;
    if (count > 0 && bytes > MAX_GROUP_BYTES) break;
    count++;
  }
  return waiting.splice(0, count);
}
