import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { PeerEvent } from './output.ts';

/** How a child process ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A peer in a process of its own, driven through its `--json` events and its commands. */
export interface ChildPeer extends AsyncDisposable {
  readonly pid: number;
  /** Everything it told so far. */
  readonly events: readonly PeerEvent[];
  /** Lines of standard output that are not JSON objects. */
  readonly otherLines: readonly string[];
  /** Its standard error so far. */
  readonly errors: string;
  /** Ends when the process has ended and all its output was read. */
  readonly exited: Promise<ChildExit>;
  /**
   * The first event with these fields, told already or to come, that no earlier call has taken.
   *
   * @throws Error when it does not come in time or the process ends
   */
  take(fields: PeerEvent, timeout?: number): Promise<PeerEvent>;
  /** Types a command. */
  type(line: string): void;
  kill(signal: NodeJS.Signals): void;
}

export interface ChildOptions {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

function fits(event: PeerEvent, fields: PeerEvent): boolean {
  return Object.entries(fields).every(([name, value]) => event[name] === value);
}

class SpawnedPeer implements ChildPeer {
  readonly events: PeerEvent[] = [];
  readonly otherLines: string[] = [];
  readonly exited: Promise<ChildExit>;
  errors = '';
  readonly #child: ChildProcess;
  readonly #taken = new Set<PeerEvent>();
  readonly #watchers = new Set<() => void>();
  #exit: ChildExit | undefined;

  constructor({ command: [file, ...args], env, cwd }: ChildOptions) {
    const child = spawn(file, args, {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child = child;
    // A process that has ended takes no commands; that it ended is told by `exited`.
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.#onLine(line));
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
        this.#wake();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  #onLine(line: string): void {
    try {
      this.events.push(JSON.parse(line) as PeerEvent);
    } catch {
      this.otherLines.push(line);
    }
    this.#wake();
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
  }

  take(fields: PeerEvent, timeout = 30_000): Promise<PeerEvent> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const event = this.events.find((candidate) => !this.#taken.has(candidate) && fits(candidate, fields));
        if (event === undefined && this.#exit === undefined) return;
        finish();
        if (event === undefined) {
          reject(this.#missing(fields, `it ended with ${JSON.stringify(this.#exit)}`));
          return;
        }
        this.#taken.add(event);
        resolve(event);
      };
      const timer = setTimeout(() => {
        finish();
        reject(this.#missing(fields, `not within ${timeout} ms`));
      }, timeout);
      const finish = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
      look();
    });
  }

  #missing(fields: PeerEvent, why: string): Error {
    const told = this.events.slice(-5).map((event) => JSON.stringify(event));
    return new Error(`no ${JSON.stringify(fields)}: ${why}\n${told.join('\n')}\n${this.errors}`.trim());
  }

  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exit === undefined) this.kill('SIGKILL');
    await this.exited;
  }
}

/** Starts a peer as a process of its own; disposing kills it if it still runs. */
export function spawnPeer(options: ChildOptions): ChildPeer {
  return new SpawnedPeer(options);
}
