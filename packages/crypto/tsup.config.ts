import { defineConfig } from 'tsup';
import { oneSharedFile } from '../../tsup.shared.ts';

const entry = ['src/index.ts', 'src/noise.ts', 'src/handshake.ts', 'src/channel.ts', 'src/msgpack.ts'];

export default defineConfig({
  entry,
  format: ['esm'],
  target: 'node20.19',
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  tsconfig: 'tsconfig.build.json',
  esbuildPlugins: [oneSharedFile(entry)],
  clean: true,
});
