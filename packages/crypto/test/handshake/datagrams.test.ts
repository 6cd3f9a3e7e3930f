import { describe, expect, it } from 'vitest';
import { createHandshake, type HandshakeOptions } from '../../src/handshake.ts';
import { alice, bob, carol, NOW, primitives } from './peers.ts';

const sides = [
  ['XX', undefined],
  ['IK', bob.staticKeyPair.publicKey],
  ['XXfallback', carol.staticKeyPair.publicKey],
] as const;

describe.each(sides)('%s over datagrams (NZ-HANDSHAKE-01 §2.3)', (pattern, remoteStaticKey) => {
  const open = (networkKey?: Uint8Array) => {
    const shared: Pick<HandshakeOptions, 'primitives' | 'isOverDatagrams' | 'networkKey'> = {
      primitives,
      isOverDatagrams: true,
      ...(networkKey && { networkKey }),
    };
    const initiator = createHandshake({
      ...shared,
      role: 'initiator',
      identity: alice,
      expectedIdentity: bob.publicKey,
      ...(remoteStaticKey && { remoteStaticKey }),
    });
    const responder = createHandshake({ ...shared, role: 'responder', identity: bob });
    return { initiator, responder };
  };

  /** The message itself, with one bit of any place turned over; cut off; and noise of its length. */
  const forgeries = (message: Uint8Array): Uint8Array[] => [
    ...[0, 1, 2, 5, 33, 40, message.length - 1].map((at) => {
      const forged = message.slice();
      forged[at]! ^= 1;
      return forged;
    }),
    message.slice(0, -1),
    message.slice(0, 3),
    new Uint8Array(message.length).fill(0x55),
  ];

  it.each([undefined, new Uint8Array(32).fill(7)])(
    'lets forged messages pass by, and completes with the right ones',
    (networkKey) => {
      const { initiator, responder } = open(networkKey);
      const second = responder.receive(initiator.start(NOW), NOW).reply!;
      const refused = expect.objectContaining({ name: 'HandshakeError' });
      for (const forged of forgeries(second)) expect(() => initiator.receive(forged, NOW)).toThrow(refused);
      const { reply: third, result } = initiator.receive(second, NOW);
      expect(result?.pattern).toBe(pattern);
      if (third === undefined) return;
      for (const forged of forgeries(third)) expect(() => responder.receive(forged, NOW)).toThrow(refused);
      const finished = responder.receive(third, NOW).result!;
      expect(finished.handshakeHash).toEqual(result!.handshakeHash);
    },
  );

  it('goes on after the authentic answer of somebody else, and takes nothing after the right one', () => {
    const { initiator, responder } = open();
    const first = initiator.start(NOW);
    const somebody = createHandshake({ role: 'responder', identity: carol, primitives });
    const answer = somebody.receive(first, NOW).reply!;
    const code = /IDENTITY|INVALID/;
    expect(() => initiator.receive(answer, NOW)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(code) }),
    );
    const second = responder.receive(first, NOW).reply!;
    expect(initiator.receive(second, NOW).result?.remote.identity).toEqual(bob.publicKey);
    expect(() => initiator.receive(second, NOW)).toThrow(expect.objectContaining({ code: 'FINISHED' }));
  });

  it('ends for what only the peer can say: no common version', () => {
    const { initiator } = open();
    const other = createHandshake({
      role: 'responder',
      identity: bob,
      primitives,
      versions: { min: 9, max: 9 },
    });
    const run = (): unknown => {
      const second = other.receive(initiator.start(NOW), NOW).reply!;
      return initiator.receive(second, NOW);
    };
    expect(run).toThrow(expect.objectContaining({ code: 'NO_COMMON_VERSION' }));
    // IK: the responder finds out. Otherwise the initiator does, and has ended.
    if (pattern !== 'IK') expect(initiator.deadline).toBeUndefined();
  });
});

it('a handshake over a byte stream ends with the first message that fails', () => {
  const initiator = createHandshake({ role: 'initiator', identity: alice, primitives });
  const responder = createHandshake({ role: 'responder', identity: bob, primitives });
  const second = responder.receive(initiator.start(NOW), NOW).reply!;
  expect(() => initiator.receive(second.slice(0, -1), NOW)).toThrow();
  expect(() => initiator.receive(second, NOW)).toThrow(expect.objectContaining({ code: 'FINISHED' }));
});
