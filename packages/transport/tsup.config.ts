import { defineConfig } from 'tsup';

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/tcp.ts',
    'src/compression.ts',
    'src/ws.ts',
    'src/ws-browser.ts',
    'src/memory.ts',
    'src/udp.ts',
    'src/testing.ts',
  ],
  format: ['esm'],
  target: 'node20.19',
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  tsconfig: 'tsconfig.build.json',
  clean: true,
});
