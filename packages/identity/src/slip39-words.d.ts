declare module 'slip39' {
  class Slip39 {
    static fromArray(
      masterSecret: readonly number[],
      options: {
        readonly passphrase?: string;
        readonly threshold?: number;
        readonly groups?: readonly (readonly [threshold: number, shares: number, description?: string])[];
        readonly iterationExponent?: number;
        readonly extendableBackupFlag?: number;
        readonly title?: string;
      },
    ): Slip39;
    static recoverSecret(mnemonics: readonly string[], passphrase?: string): number[];
    static validateMnemonic(mnemonic: string): boolean;
    fromPath(path: string): { readonly mnemonics: readonly string[] };
  }
  export = Slip39;
}

declare module 'slip39/src/slip39_helper.js' {
  const helper: { readonly WORD_LIST: readonly string[] };
  export = helper;
}
