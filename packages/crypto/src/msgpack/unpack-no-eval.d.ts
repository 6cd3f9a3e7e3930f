/** The reader alone, without the one that writes functions; msgpackr has no types for it. */
declare module 'msgpackr/unpack-no-eval' {
  export { Unpackr } from 'msgpackr/unpack';
}
