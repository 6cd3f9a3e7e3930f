import { describe, it } from 'vitest';
import { createMemoryStore } from '../src/memory.ts';
import { runKeyValueStoreSuite } from '../src/testing.ts';

describe('the memory store', () => {
  runKeyValueStoreSuite({ test: it, open: async () => createMemoryStore() });
});
