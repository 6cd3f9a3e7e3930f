import { clearLine, createInterface, cursorTo } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** The lines that a person types, and a place to print that does not tear them apart. */
export interface Terminal extends Disposable {
  /** Prints above the line that is being typed. */
  write(text: string): void;
  /** Shows that lines are taken now. */
  prompt(): void;
}

/** What to do with what is typed. */
export interface TerminalHandler {
  onLine(line: string): void;
  /** Ctrl-C was typed. */
  onInterrupt(): void;
  /** No more lines will come. */
  onEnd(): void;
}

/** Reads lines; with a prompt and line editing when `isInteractive`. */
export function openTerminal(
  streams: { readonly input: Readable; readonly output: Writable; readonly isInteractive: boolean },
  handler: TerminalHandler,
): Terminal {
  const { input, output, isInteractive } = streams;
  const lines = createInterface(
    isInteractive ? { input, output, terminal: true, prompt: '> ' } : { input, terminal: false },
  );
  let isClosed = false;
  let isPrompting = false;
  lines.on('line', (line) => {
    handler.onLine(line);
    if (isPrompting && !isClosed) lines.prompt();
  });
  lines.on('SIGINT', () => handler.onInterrupt());
  lines.on('close', () => {
    if (!isClosed) handler.onEnd();
    isClosed = true;
  });
  return {
    write: (text) => {
      if (!isPrompting || isClosed) return void output.write(text);
      clearLine(output, 0);
      cursorTo(output, 0);
      output.write(text);
      lines.prompt(true);
    },
    prompt: () => {
      isPrompting = isInteractive;
      if (isInteractive) lines.prompt();
    },
    [Symbol.dispose]: () => {
      isClosed = true;
      lines.close();
      input.destroy();
    },
  };
}

/** Asks for a text that is not shown, as for a passphrase. */
export function askHidden(input: Readable, output: Writable, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input, output: undefined, terminal: true });
    output.write(question);
    lines.once('line', (line) => {
      output.write('\n');
      lines.removeAllListeners('close');
      lines.close();
      resolve(line);
    });
    lines.once('SIGINT', () => lines.close());
    lines.once('close', () => {
      output.write('\n');
      reject(new Error('no passphrase was typed'));
    });
  });
}
