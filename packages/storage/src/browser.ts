export { type BrowserStoreOptions, openBrowserStore } from './browser/browser-store.ts';
