import type { AddressInfo } from 'node:net';
import { openSite } from './site.ts';

const server = await openSite(Number(process.env['PORT'] ?? 8080));
process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/\n`);
