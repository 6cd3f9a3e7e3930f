/** A fresh process that imports a contestant and listens: `node startup.js <contestant>`. Sends how long that took since the process began. */
import { loadAdapter } from './load-adapter.ts';
import { measureMemory } from './messages.ts';

const adapter = await loadAdapter(process.argv[2]);
await (adapter.listen?.() ?? adapter.serve(() => undefined));
const milliseconds = performance.now();
process.send?.({
  kind: 'figures',
  figures: { 'startup-ms': milliseconds, 'startup-rss': measureMemory().resident / 1e6 },
});
process.on('disconnect', () => process.exit(0));
