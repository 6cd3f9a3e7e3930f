import { ResetCode } from './frames.ts';
import type { MuxStream } from './mux-stream.ts';
import { abortError } from './wire-errors.ts';

/** The reset that an abort of `signal` causes, as long as the stream lives. */
export function bindSignal(stream: MuxStream, signal: AbortSignal): void {
  if (stream.isFinished) return;
  const onAbort = (): void => stream.resetWith(ResetCode.cancelled, abortError(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  stream.onOver = () => signal.removeEventListener('abort', onAbort);
}
