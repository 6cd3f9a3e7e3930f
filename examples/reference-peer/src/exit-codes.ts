/** How the process ends. The numbers are stable: a supervisor may branch on them. */
export const exitCodes = {
  ok: 0,
  /** A fault of the program; please report it. */
  unexpected: 1,
  /** The command line was wrong. */
  usage: 2,
  /** It could not be stopped in an orderly way within five seconds. */
  stopTimeout: 3,
  configInvalid: 10,
  dataDirectoryInUse: 11,
  dataDirectoryNotWritable: 12,
  storeCorrupt: 13,
  keystoreUnusable: 14,
  passphraseRequired: 15,
  passphraseWrong: 16,
  passphraseUnreadable: 17,
  portInUse: 18,
  listenFailed: 19,
  bootstrapMismatch: 20,
  addressInvalid: 21,
  receivedDirectoryNotWritable: 22,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
