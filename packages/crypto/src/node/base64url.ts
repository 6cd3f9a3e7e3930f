// Keys go in and out of node:crypto as JWK.
const nodeBuffer = globalThis.process?.getBuiltinModule?.('node:buffer');

/** Base64url without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  return nodeBuffer!['Buffer'].from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/** The bytes of well-formed base64url: node:crypto's own output. In plain memory of their own. */
export function fromBase64Url(text: string): Uint8Array {
  return new Uint8Array(nodeBuffer!['Buffer'].from(text, 'base64url'));
}
