/** What came of one vector. A skipped one names the algorithm that the package does not offer. */
export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly vector: string; readonly reason: string }
  | { readonly kind: 'skipped'; readonly algorithm: string };

/** The file cannot be used as what the caller said it is. */
export class VectorFileError extends Error {
  override readonly name = 'VectorFileError';
}

/** Passed. */
export const passed: Outcome = { kind: 'passed' };

/** A vector as an object; anything else is not a vector file. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a JSON value is an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text field. @throws VectorFileError */
export function textField(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new VectorFileError(`the field ${name} is missing or no text`);
  return value;
}

/** A number field. @throws VectorFileError */
export function numberField(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number') throw new VectorFileError(`the field ${name} is missing or no number`);
  return value;
}

/** A field of hexadecimal text as bytes. @throws VectorFileError */
export function bytesField(fields: Fields, name: string): Uint8Array {
  const text = textField(fields, name);
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw new VectorFileError(`the field ${name} is not hexadecimal`);
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** A field that is a list of objects. @throws VectorFileError */
export function listField(fields: Fields, name: string): readonly Fields[] {
  const value = fields[name];
  if (!Array.isArray(value) || !value.every(isFields)) {
    throw new VectorFileError(`the field ${name} is missing or no list of objects`);
  }
  return value;
}
