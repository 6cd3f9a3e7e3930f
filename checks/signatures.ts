import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import ts from 'typescript';
import { type Findings, filesBelow, readPackages } from './workspace.ts';

/*
 * Every signed structure goes through one helper, `encodeSigned` and `decodeSigned` of @nzcore/identity, which separates
 * domains. What signs or verifies without it is listed here, with the reason; there is no other place.
 */
const withoutHelper: ReadonlySet<string> = new Set([
  // The primitive itself.
  'crypto',
  // `sign`, `verify` and the helper.
  'identity',
]);

// In crypto only the static-key certificate of the handshake (spec/identity.md §5) uses the primitive.
const certificate = /^packages\/crypto\/src\/handshake\/(certificate|verified-certificates)\.ts$/;
const primitive =
  /^packages\/crypto\/src\/((node|sodium)\/.+|index|curves|backend|primitives|default-primitives|create-primitives|ed25519-encoding|selection)\.ts$/;
const helper = /^packages\/identity\/src\/(signed|signature|identity|recovery-key)\.ts$/;

/** Names by which Ed25519 can be reached, in a source text. */
export function signersIn(source: string): string[] {
  const file = ts.createSourceFile('module.ts', source, ts.ScriptTarget.ES2023, true);
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportSpecifier(node) || ts.isPropertyAccessExpression(node)) {
      const { text } = ts.isImportSpecifier(node) ? (node.propertyName ?? node.name) : node.name;
      if (/^(ed25519|createSign|createVerify|_crypto_sign(_verify)?_detached)$/.test(text)) found.add(text);
      // node:crypto's one-shot functions and WebCrypto's, whatever the module is called.
      if (/^(sign|verify)$/.test(text) && /\b(crypto|nodeCrypto\(\)|subtle)$/.test(ownerOf(node)))
        found.add(text);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return [...found];
}

function ownerOf(node: ts.ImportSpecifier | ts.PropertyAccessExpression): string {
  if (ts.isPropertyAccessExpression(node)) return node.expression.getText();
  const { moduleSpecifier } = node.parent.parent.parent;
  return ts.isStringLiteral(moduleSpecifier) ? moduleSpecifier.text.replace('node:', '') : '';
}

/** Whether a file may sign or verify by itself. */
export function maySign(file: string): boolean {
  const [, name = ''] = /^packages\/([^/]+)\//.exec(file) ?? [];
  if (!withoutHelper.has(name)) return false;
  return certificate.test(file) || primitive.test(file) || helper.test(file);
}

/** Looks for signatures that are made or verified without the one helper. */
export async function checkSignatures(root: string): Promise<Findings> {
  const directories = (await readPackages(root)).map(({ directory }) => `${directory}/src`);
  const findings: string[] = [];
  for (const directory of [...directories, `${root}/examples`]) {
    for (const path of await filesBelow(directory, '.ts')) {
      const file = relative(root, path).replaceAll('\\', '/');
      if (maySign(file) || /\/test\//.test(file)) continue;
      for (const name of signersIn(await readFile(path, 'utf8'))) {
        findings.push(
          `${file}: uses ${name}; signed structures go through encodeSigned and decodeSigned of @nzcore/identity`,
        );
      }
    }
  }
  return findings;
}
