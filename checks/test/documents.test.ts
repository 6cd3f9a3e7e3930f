import { describe, expect, it } from 'vitest';
import { localLinks } from '../documents.ts';
import { workspaceRemains } from '../packed-packages.ts';
import { codeBlocks } from '../readme-code.ts';
import { nodeGlobalsIn } from '../runtime-neutrality.ts';

describe('code blocks of a document', () => {
  it('joins what continues, marks what is not run and leaves other languages out', () => {
    const markdown = [
      'text',
      '```ts',
      'const a = 1;',
      '```',
      '```sh',
      'ls',
      '```',
      '```ts continue',
      'a;',
      '```',
      '```ts no-run',
      'b;',
      '```',
    ].join('\n');
    expect(codeBlocks(markdown)).toEqual([
      { code: 'const a = 1;\na;\n', line: 2, isRun: true },
      { code: 'b;\n', line: 11, isRun: false },
    ]);
  });
});

describe('runtime neutrality', () => {
  it('finds globals of Node, and not members or keys of that name', () => {
    expect(nodeGlobalsIn('const b = Buffer.from([1]); process.exit();')).toEqual(['Buffer', 'process']);
    expect(nodeGlobalsIn('globalThis.Buffer.from("")')).toEqual(['Buffer']);
    expect(nodeGlobalsIn('globalThis.process?.getBuiltinModule; const x = { process: 1 };')).toEqual([]);
  });
});

describe('package hygiene', () => {
  it('finds what only the workspace understands', () => {
    expect(workspaceRemains('{"a":"workspace:^","b":"catalog:"}')).toEqual(['workspace:', 'catalog:']);
    expect(workspaceRemains('{"a":"^1.0.0","scripts":{"x":"tsx --conditions=@nzcore/source"}}')).toEqual([]);
    expect(workspaceRemains('{"exports":{"@nzcore/source":"x"}}')).toEqual(['@nzcore/source']);
  });
});

describe('documents', () => {
  it('finds links to files, and not addresses, anchors or code', () => {
    const markdown = '[a](spec/a.md) [b](https://example.org/) [c](#c) [d](d.md#part) `[e](e.md)`';
    expect(localLinks(markdown)).toEqual(['spec/a.md', 'd.md']);
  });
});
