export { dhtKey } from './dht-key.ts';
export { IdentityError, type IdentityErrorCode } from './errors.ts';
export type { LocalIdentity, StaticKeyCertificate } from './handshake-identity.ts';
export { type Identity, type IdentityOptions, identityFromSeed } from './identity.ts';
export {
  createMnemonic,
  entropyToMnemonic,
  identityFromMnemonic,
  type MnemonicLength,
  mnemonicToEntropy,
  parseMnemonic,
  seedFromMnemonic,
} from './mnemonic.ts';
export {
  formatDidKey,
  isPeerId,
  type PeerId,
  parsePeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
} from './peer-id.ts';
export { type SignatureCheck, verify } from './signature.ts';
