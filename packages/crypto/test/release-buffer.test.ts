import { describe, expect, it } from 'vitest';
import { releaseBuffer, releaseChunks } from '../src/index.ts';

/** What a runtime without ArrayBuffer.prototype.transfer sees. */
function withoutTransfer(run: () => void): void {
  const { transfer } = ArrayBuffer.prototype as { transfer?: unknown };
  if (transfer)
    Object.defineProperty(ArrayBuffer.prototype, 'transfer', { value: undefined, configurable: true });
  try {
    run();
  } finally {
    if (transfer)
      Object.defineProperty(ArrayBuffer.prototype, 'transfer', {
        value: transfer,
        configurable: true,
        writable: true,
      });
  }
}

describe.each([
  ['as this runtime can', (run: () => void) => run()],
  ['without ArrayBuffer.prototype.transfer', withoutTransfer],
] as const)('releasing memory %s', (_how, inRuntime) => {
  it('detaches a large buffer, also twice', () => {
    inRuntime(() => {
      const bytes = new Uint8Array(65_536);
      releaseBuffer(bytes.buffer);
      expect(bytes.byteLength).toBe(0);
      releaseBuffer(bytes.buffer);
    });
  });

  it('leaves small buffers and views of something larger alone', () => {
    inRuntime(() => {
      const small = new Uint8Array(1000);
      const view = new Uint8Array(new ArrayBuffer(65_536), 1);
      releaseChunks([small, view]);
      expect([small.byteLength, view.byteLength]).toEqual([1000, 65_535]);
    });
  });

  it('gives the memory back at once', () => {
    inRuntime(() => {
      const before = process.memoryUsage().arrayBuffers;
      for (let i = 0; i < 1000; i++) releaseBuffer(new Uint8Array(1 << 20).buffer);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
    });
  });
});
