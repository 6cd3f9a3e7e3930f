/** Text form of a peer's Ed25519 key, `z6Mk…`. */
export type PeerId = string;
