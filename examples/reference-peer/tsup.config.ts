import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/main.ts', 'src/demo.ts'],
  format: ['esm'],
  target: 'node20.19',
  tsconfig: 'tsconfig.build.json',
  clean: true,
});
