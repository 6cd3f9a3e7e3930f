import { describe, expect, it } from 'vitest';
import { localLinks } from '../documents.ts';
import { countLines, sizeFindings } from '../file-sizes.ts';
import { workspaceRemains } from '../packed-packages.ts';
import { codeBlocks } from '../readme-code.ts';
import { nodeGlobalsIn } from '../runtime-neutrality.ts';
import { limitUnder } from '../warm-start.ts';

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

describe('sizes', () => {
  it('are lines as wc counts them', () => {
    expect(['', 'a', 'a\n', 'a\n\nb\n'].map(countLines)).toEqual([0, 0, 1, 3]);
  });

  it('find a long file, and a node of a thousand lines', () => {
    const node = (count: number): [string, number][] =>
      Array.from({ length: 5 }, (_, index) => [`packages/node/src/${index}.ts`, count]);
    expect(sizeFindings(new Map(node(199)))).toEqual([]);
    expect(sizeFindings(new Map(node(200)))).toEqual([
      'packages/node/src has 1000 lines; it must stay under 1000',
    ]);
    expect(sizeFindings(new Map([['packages/a/src/b.ts', 301]]))).toEqual([
      'packages/a/src/b.ts has 301 lines; 300 is the limit',
    ]);
  });
});

describe('a warm start', () => {
  it('has three seconds, and more only where other work waits for the same cores', () => {
    expect([0, 1.9, 2, 8].map((load) => limitUnder(load, 2))).toEqual([3000, 3000, 3000, 12_000]);
  });
});
