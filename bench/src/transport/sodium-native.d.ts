// The package has no types. Declared here is what is used of it.
declare module 'sodium-native' {
  const sodium: import('@nzcore/crypto').NativeSodium;
  export = sodium;
}
