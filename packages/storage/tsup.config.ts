import { defineConfig } from 'tsup';

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/level.ts',
    'src/browser.ts',
    'src/memory.ts',
    'src/files.ts',
    'src/log.ts',
    'src/testing.ts',
  ],
  format: ['esm'],
  target: 'node20.19',
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  tsconfig: 'tsconfig.build.json',
  clean: true,
});
