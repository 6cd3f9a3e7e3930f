import type { KeyValueStore } from '../key-value/key-value-store.ts';
import { testIteration, testRanges, testSnapshots } from './iteration-suite.ts';
import { testClosing, testReopening } from './life-cycle-suite.ts';
import { testArguments, testMaintenance, testNamespaces, testSignals } from './namespaces-suite.ts';
import type { Test } from './suite-parts.ts';
import { testBatches, testOwnership, testValues } from './values-suite.ts';

/** What the suite needs to know of the store that it tests. */
export interface KeyValueStoreSuite {
  /** How a test is declared: vitest's `it`, or a function that collects. */
  readonly test: (claim: string, run: () => Promise<void>) => void;
  /** Opens an empty store, with its default limits; the suite disposes it. */
  readonly open: () => Promise<KeyValueStore>;
  /** For a store that lasts: closes this one and opens it again. */
  readonly reopen?: ((store: KeyValueStore) => Promise<KeyValueStore>) | undefined;
}

/** What every implementation of {@link KeyValueStore} must do, as tests. */
export function runKeyValueStoreSuite({ test, open, reopen }: KeyValueStoreSuite): void {
  const withStore: Test = (claim, run) => {
    test(claim, async () => {
      await using store = await open();
      await run(store);
    });
  };
  testValues(withStore);
  testOwnership(withStore);
  testBatches(withStore);
  testIteration(withStore);
  testRanges(withStore);
  testSnapshots(withStore);
  testNamespaces(withStore);
  testArguments(withStore);
  testSignals(withStore);
  testMaintenance(withStore);
  testClosing(test, open);
  if (reopen !== undefined) testReopening(test, open, reopen);
}
