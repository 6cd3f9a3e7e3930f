export { type KeyValueStoreSuite, runKeyValueStoreSuite } from './key-value-store-suite.ts';
