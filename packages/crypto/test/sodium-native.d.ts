declare module 'sodium-native' {
  const sodium: import('../src/index.ts').NativeSodium;
  export = sodium;
}
