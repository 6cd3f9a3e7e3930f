import { defineConfig } from 'tsup';
import { oneSharedFile } from '../../tsup.shared.ts';

const entry = [
  'src/index.ts',
  'src/card.ts',
  'src/delegation.ts',
  'src/keystore.ts',
  'src/peer-id.ts',
  'src/profile-store.ts',
  'src/qr.ts',
  'src/recovery.ts',
  'src/slip39.ts',
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
