export type { LocalIdentity, StaticKeyCertificate } from '@nzcore/crypto/handshake';
export { type BoxOptions, box, type OpenedBox } from './box.ts';
export { dhtKey } from './dht-key.ts';
export { IdentityError, type IdentityErrorCode } from './errors.ts';
export { createIdentity, type Identity, type IdentityOptions, identityFromSeed } from './identity.ts';
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
export { safetyNumber } from './safety-number.ts';
export { type SignatureCheck, verify } from './signature.ts';
export {
  type DecodeSignedOptions,
  decodeSigned,
  encodeSigned,
  type SignedStructure,
  type Signer,
} from './signed.ts';
