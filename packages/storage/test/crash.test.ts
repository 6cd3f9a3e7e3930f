import { describe, expect, it } from 'vitest';
import { runCrashes } from '../crash/run.ts';

describe('kill -9 under load', () => {
  it('loses nothing that was acknowledged with sync, and nothing torn is believed (short form of `pnpm crash`)', async () => {
    let acknowledged = 0;
    await runCrashes({
      runs: 8,
      killsPerDirectory: 2,
      onRun: (_run, report) => {
        acknowledged += report.acknowledged;
      },
    });
    expect(acknowledged).toBeGreaterThan(0);
  }, 60_000);
});
