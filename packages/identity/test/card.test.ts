import { stripVTControlCharacters } from 'node:util';
import { ready } from '@nzcore/crypto';
import fc from 'fast-check';
import jsqr from 'jsqr';
import { beforeAll, describe, expect, it } from 'vitest';
import { cardFromText, cardToText, cardToUri, createCard, MAX_CARD_LENGTH, openCard } from '../src/card.ts';
import { type Identity, IdentityError, identityFromSeed } from '../src/index.ts';
import { cardToSvgQr, cardToTerminalQr } from '../src/qr.ts';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const invalid = expect.objectContaining({ code: 'INVALID_CARD' });
const details = {
  now: NOW,
  name: 'Ada Lovelace',
  addresses: ['/ip4/192.0.2.1/tcp/4001', '/dns/peer.example.org/tcp/443/wss'],
};

let identity: Identity;
let card: Uint8Array;

beforeAll(async () => {
  await ready();
  identity = identityFromSeed(new Uint8Array(32).fill(1));
  card = createCard(identity, details);
});

describe('contact card', () => {
  it('says who a peer is and where, in less than 400 bytes', () => {
    expect(card.length).toBeLessThan(240);
    expect(openCard(card, { now: NOW })).toEqual({
      peerId: identity.peerId,
      staticKey: identity.keyAgreementPublicKey,
      name: 'Ada Lovelace',
      addresses: details.addresses,
      issuedAt: NOW,
      expiresAt: NOW + 90 * DAY,
    });
  });

  it('carries a recovery commitment when it is given one', () => {
    const recoveryCommitment = new Uint8Array(32).fill(3);
    const opened = openCard(createCard(identity, { ...details, recoveryCommitment }), { now: NOW });
    expect(opened.recoveryCommitment).toEqual(recoveryCommitment);
  });

  it('is the same from bytes, text and URI, with white space around', () => {
    const expected = openCard(card, { now: NOW });
    for (const text of [
      cardToText(card),
      cardToUri(card),
      ` ${cardToUri(card)}\n`,
      cardToUri(card).replace('nzcore:card', 'NZCORE:CARD'),
    ]) {
      expect(openCard(text, { now: NOW })).toEqual(expected);
      expect(cardFromText(text)).toEqual(card);
    }
    expect(cardToUri(card)).toMatch(/^nzcore:card:u[A-Za-z0-9_-]+$/);
  });

  it('is valid from its issue to its expiry, with a minute for clocks that differ', () => {
    const expiresAt = NOW + 90 * DAY;
    const at = (now: number, clockSkewMs?: number) => () =>
      openCard(card, clockSkewMs === undefined ? { now } : { now, clockSkewMs });
    expect(at(NOW - MINUTE)).not.toThrow();
    expect(at(NOW - MINUTE - 1)).toThrow(expect.objectContaining({ code: 'CARD_NOT_YET_VALID' }));
    expect(at(expiresAt + MINUTE)).not.toThrow();
    expect(at(expiresAt + MINUTE + 1)).toThrow(expect.objectContaining({ code: 'CARD_EXPIRED' }));
    expect(at(expiresAt + 1, 0)).toThrow(expect.objectContaining({ code: 'CARD_EXPIRED' }));
    expect(at(NOW, -1)).toThrow(RangeError);
    expect(at(NOW, 25 * 60 * MINUTE)).toThrow(RangeError);
    expect(at(Number.NaN)).toThrow(RangeError);
  });

  it('is refused when any bit of it was changed', () => {
    fc.assert(
      fc.property(fc.nat({ max: card.length * 8 - 1 }), (bit) => {
        const flipped = card.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => openCard(flipped, { now: NOW })).toThrow(invalid);
      }),
    );
    expect(() => openCard(card.slice(0, -1), { now: NOW })).toThrow(invalid);
    expect(() => openCard(Uint8Array.of(...card, 0), { now: NOW })).toThrow(invalid);
  });

  it('throws INVALID_CARD and nothing else for any bytes or text', () => {
    const check = (input: Uint8Array | string) => {
      try {
        openCard(input, { now: NOW });
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError);
        expect((error as IdentityError).code).toBe('INVALID_CARD');
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), check));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String().map((text) => `nzcore:card:u${text}`),
        ),
        check,
      ),
    );
    check('u'.repeat(1_000_000));
    // Base 64 with trailing bits that a decoder would drop, and with padding.
    check(`${cardToText(card)}=`);
    check(`${cardToText(card)}A`);
  });

  it('takes no name that could deceive, no address that is no multiaddr, and nothing too long', () => {
    const names = [
      'a\nb',
      'a\u202eb',
      'a\u200bb',
      ' a',
      'a ',
      'x'.repeat(65),
      'é'.repeat(33),
      '\ud800',
      '\u0007',
      // Bidi isolates and marks, fillers and selectors that nobody sees, spaces that look like others, a lone mark.
      'a\u2066b',
      'a\u061cb',
      '\u3164',
      'a\u115f',
      'a\uffa0',
      'a\u034f',
      'a\ufe0f',
      'a\u{e0041}',
      '\u2800',
      'a\u00a0b',
      'a\u3000b',
      'a\u2028b',
      '\u0301a',
    ];
    for (const name of ['Ada Lovelace', 'שלום', 'नमस्ते', 'Zoe\u0301', '李 小龙', '🦊']) {
      expect(openCard(createCard(identity, { now: NOW, name }), { now: NOW }).name).toBe(name);
    }
    for (const name of names) expect(() => createCard(identity, { now: NOW, name })).toThrow(RangeError);
    const [tooLong, named] = [`/${'x'.repeat(100)}`, `/ip4/192.0.2.1/tcp/4001/p2p/${identity.peerId}`];
    for (const address of ['', 'tcp', '/ip4/1.2.3.4 ', '/é', tooLong, named, '/ip4/192.0.2.1/p2p']) {
      expect(() => createCard(identity, { now: NOW, addresses: [address] })).toThrow(RangeError);
    }
    expect(() => createCard(identity, { now: NOW, addresses: Array(5).fill('/tcp') })).toThrow(RangeError);
    const long = `/${'x'.repeat(99)}`;
    expect(() => createCard(identity, { now: NOW, addresses: [long, long, long] })).toThrow(/399 bytes/);
    expect(() => createCard(identity, { now: NOW, lifetimeMs: 401 * DAY })).toThrow(RangeError);
    expect(() => createCard(identity, { now: NOW, lifetimeMs: 0 })).toThrow(RangeError);
    expect(() => createCard(identity, { now: 1.5 })).toThrow(RangeError);
  });

  it('holds a long name, two addresses and a commitment', () => {
    const full = createCard(identity, {
      now: NOW,
      name: 'ü'.repeat(32),
      addresses: ['/ip6/2001:db8:1234:5678:9abc:def0:1234:5678/tcp/65535', '/ip4/198.51.100.200/udp/65535'],
      recoveryCommitment: new Uint8Array(32),
    });
    expect(full.length).toBeLessThanOrEqual(MAX_CARD_LENGTH);
    expect(openCard(full, { now: NOW }).name).toBe('ü'.repeat(32));
  });
});

describe('QR code of a card', () => {
  it('is read back from the SVG by a decoder', async () => {
    const svg = await cardToSvgQr(card);
    expect(svg).toMatch(/^<svg /);
    expect(openCard(decodeQr(modulesOfSvg(svg)), { now: NOW }).peerId).toBe(identity.peerId);
  });

  it('is read back from the terminal’s half blocks by a decoder', async () => {
    const terminal = cardToTerminalQr(card, { colors: false });
    expect(openCard(decodeQr(modulesOfBlocks(terminal)), { now: NOW }).peerId).toBe(identity.peerId);
  });

  it('is black on white in the terminal unless told otherwise', () => {
    const lines = cardToTerminalQr(card).trimEnd().split('\n');
    expect(lines.every((line) => line.startsWith('\u001b[30;107m') && line.endsWith('\u001b[0m'))).toBe(true);
    expect(stripVTControlCharacters(cardToTerminalQr(card))).toBe(cardToTerminalQr(card, { colors: false }));
  });

  it('is read back at the largest size', async () => {
    const name = 'x'.repeat(64);
    const addresses = [`/${'y'.repeat(91)}`, `/${'z'.repeat(82)}`];
    const largest = createCard(identity, { now: NOW, name, addresses });
    expect(largest.length).toBe(MAX_CARD_LENGTH);
    const modules = modulesOfSvg(await cardToSvgQr(largest));
    expect(cardFromText(decodeQr(modules))).toEqual(largest);
    expect(modules.length - 8).toBe(89);
  });
});

/** Dark modules, row by row, with the quiet zone. */
type Modules = readonly (readonly boolean[])[];

/** The library draws dark modules as horizontal strokes: M x y, h length, m dx dy. */
function modulesOfSvg(svg: string): Modules {
  const size = Number(/viewBox="0 0 (\d+) \d+"/.exec(svg)?.[1]);
  const path = /stroke="#000000" d="([^"]+)"/.exec(svg)?.[1] ?? '';
  const modules = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  let [x, y] = [0, 0];
  for (const [, command, first, second] of path.matchAll(/([Mmh])(-?[\d.]+)(?: ?(-?[\d.]+))?/g)) {
    if (command === 'M') [x, y] = [Number(first), Math.floor(Number(second))];
    if (command === 'm') [x, y] = [x + Number(first), y + Number(second)];
    if (command === 'h') {
      modules[y]!.fill(true, x, x + Number(first));
      x += Number(first);
    }
  }
  return modules;
}

function modulesOfBlocks(text: string): Modules {
  const lines = text.split('\n').filter((line) => line.length > 0);
  return lines.flatMap((line) => [
    [...line].map((block) => block === '█' || block === '▀'),
    [...line].map((block) => block === '█' || block === '▄'),
  ]);
}

function decodeQr(modules: Modules): string {
  const scale = 4;
  const width = modules[0]!.length * scale;
  const height = modules.length * scale;
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const dark = modules[Math.floor(y / scale)]![Math.floor(x / scale)] === true;
      pixels.set(dark ? [0, 0, 0, 255] : [255, 255, 255, 255], (y * width + x) * 4);
    }
  }
  const result = jsqr.default(pixels, width, height);
  if (result === null) throw new Error('the decoder found no QR code');
  return result.data;
}
