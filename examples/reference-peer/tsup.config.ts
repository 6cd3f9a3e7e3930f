import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/main.ts', 'src/demo.ts'],
  format: ['esm'],
  target: 'node20.19',
  tsconfig: 'tsconfig.build.json',
  // An optional dependency: asked for when the peer starts.
  external: ['sodium-native'],
  clean: true,
});
