import { defineConfig } from 'tsup';
import { oneSharedFile } from '../../tsup.shared.ts';

const entry = [
  'src/index.ts',
  'src/tcp.ts',
  'src/compression.ts',
  'src/ws.ts',
  'src/ws-browser.ts',
  'src/memory.ts',
  'src/udp.ts',
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
