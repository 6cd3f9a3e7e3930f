import { defineConfig } from 'tsup';
import { oneSharedFile } from '../../tsup.shared.ts';

const entry = [
  'src/index.ts',
  'src/level.ts',
  'src/browser.ts',
  'src/memory.ts',
  'src/files.ts',
  'src/log.ts',
  'src/testing.ts',
];

export default defineConfig({
  entry,
  format: ['esm'],
  target: 'node20.19',
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  tsconfig: 'tsconfig.build.json',
  esbuildPlugins: [oneSharedFile(entry)],
  clean: true,
});
