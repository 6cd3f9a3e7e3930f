export { type LevelStoreOptions, openLevelStore } from './level/level-store.ts';
