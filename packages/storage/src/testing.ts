export { type KeyValueStoreSuite, runKeyValueStoreSuite } from './testing/key-value-store-suite.ts';
