// @peculiar/x509 wants it first.
import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createSecureContext, createServer } from 'node:tls';
import { cryptoProvider, X509CertificateGenerator } from '@peculiar/x509';
import type { Adapter } from '../adapter.ts';
import { acceptDuplex, connectionOverDuplex } from '../duplex-stream.ts';

/** The suite that has the same AEAD as our records, the same curve, and a certificate with the same kind of signature. */
const settings = {
  ciphers: 'TLS_CHACHA20_POLY1305_SHA256',
  minVersion: 'TLSv1.3',
  ecdhCurve: 'X25519',
} as const;

/** A self-signed Ed25519 certificate, made anew in each process. */
async function createCertificate(): Promise<{ key: string; cert: string }> {
  cryptoProvider.set(webcrypto);
  const signingAlgorithm = { name: 'Ed25519' };
  const keys = (await webcrypto.subtle.generateKey(signingAlgorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    keys,
    signingAlgorithm,
  });
  const key = KeyObject.from(keys.privateKey);
  return { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: certificate.toString('pem') };
}

/** node:tls, TLS 1.3 without session resumption; only the server has a certificate. */
export const adapter: Adapter = {
  async serve(onStream) {
    const server = createServer({ ...settings, ...(await createCertificate()), noDelay: true }, (socket) =>
      acceptDuplex(socket, onStream),
    );
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return String((server.address() as AddressInfo).port);
  },
  async connect(address) {
    const secureContext = createSecureContext(settings);
    const target = {
      port: Number(address),
      host: '127.0.0.1',
      secureContext,
      rejectUnauthorized: false,
    } as const;
    return {
      dial: () =>
        new Promise((resolve, reject) => {
          const socket = connect({ ...target, minVersion: 'TLSv1.3' });
          socket.once('error', reject);
          socket.once('secureConnect', () => {
            socket.setNoDelay(true);
            resolve(connectionOverDuplex(socket));
          });
        }),
    };
  },
};
