export { type BrowserStoreOptions, openBrowserStore } from './browser-store.ts';
