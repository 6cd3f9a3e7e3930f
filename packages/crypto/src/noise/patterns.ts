/**
 * Handshake patterns as data: Noise revision 34, §7.4 (one-way), §7.5 (fundamental), §18.1 (deferred), §9 (psk), §10.2 (fallback).
 *
 * A token is only a word here; what it does stands in `handshake-state.ts`. A new kind of token (a KEM's, for instance)
 * needs a row here and a case there, nothing else.
 */

/** One step of a handshake message (Noise §7.1). */
export type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'psk';

/** A party of a handshake. The first letter of `es` and `se` means the initiator's key (Noise §7.1). */
export type Role = 'initiator' | 'responder';

/** One message of a pattern: who sends it, and what it holds before its payload. */
export interface MessagePattern {
  readonly sender: Role;
  readonly tokens: readonly Token[];
}

/** A handshake pattern with its modifiers applied. */
export interface HandshakePattern {
  /** Name as it stands in the protocol name, such as `XXfallback+psk0`. */
  readonly name: string;
  /** Keys that both sides know before the first message, by owner (Noise §7.2). */
  readonly preMessages: Readonly<Record<Role, readonly ('e' | 's')[]>>;
  readonly messages: readonly MessagePattern[];
  /** Only the initiator sends, and so transport messages go one way only (Noise §7.4). */
  readonly isOneWay: boolean;
  readonly pskCount: number;
}

/** Pre-message of the initiator, pre-message of the responder, then one entry for each message in turn. */
type Row = readonly [initiator: string, responder: string, ...messages: string[]];

const rows: Readonly<Record<string, Row>> = {
  // One-way (§7.4)
  N: ['', 's', 'e es'],
  K: ['s', 's', 'e es ss'],
  X: ['', 's', 'e es s ss'],
  // Interactive, fundamental (§7.5)
  NN: ['', '', 'e', 'e ee'],
  NK: ['', 's', 'e es', 'e ee'],
  NX: ['', '', 'e', 'e ee s es'],
  KN: ['s', '', 'e', 'e ee se'],
  KK: ['s', 's', 'e es ss', 'e ee se'],
  KX: ['s', '', 'e', 'e ee se s es'],
  XN: ['', '', 'e', 'e ee', 's se'],
  XK: ['', 's', 'e es', 'e ee', 's se'],
  XX: ['', '', 'e', 'e ee s es', 's se'],
  IN: ['', '', 'e s', 'e ee se'],
  IK: ['', 's', 'e es s ss', 'e ee se'],
  IX: ['', '', 'e s', 'e ee se s es'],
  // Interactive, deferred (§18.1)
  NK1: ['', 's', 'e', 'e ee es'],
  NX1: ['', '', 'e', 'e ee s', 'es'],
  X1N: ['', '', 'e', 'e ee', 's', 'se'],
  X1K: ['', 's', 'e es', 'e ee', 's', 'se'],
  XK1: ['', 's', 'e', 'e ee es', 's se'],
  X1K1: ['', 's', 'e', 'e ee es', 's', 'se'],
  X1X: ['', '', 'e', 'e ee s es', 's', 'se'],
  XX1: ['', '', 'e', 'e ee s', 'es s se'],
  X1X1: ['', '', 'e', 'e ee s', 'es s', 'se'],
  K1N: ['s', '', 'e', 'e ee', 'se'],
  K1K: ['s', 's', 'e es', 'e ee', 'se'],
  KK1: ['s', 's', 'e', 'e ee se es'],
  K1K1: ['s', 's', 'e', 'e ee es', 'se'],
  K1X: ['s', '', 'e', 'e ee s es', 'se'],
  KX1: ['s', '', 'e', 'e ee se s', 'es'],
  K1X1: ['s', '', 'e', 'e ee s', 'se es'],
  I1N: ['', '', 'e s', 'e ee', 'se'],
  I1K: ['', 's', 'e es s', 'e ee', 'se'],
  IK1: ['', 's', 'e s', 'e ee se es'],
  I1K1: ['', 's', 'e s', 'e ee es', 'se'],
  I1X: ['', '', 'e s', 'e ee s es', 'se'],
  IX1: ['', '', 'e s', 'e ee se s', 'es'],
  I1X1: ['', '', 'e s', 'e ee s', 'se es'],
};

const split = (text: string): Token[] => (text === '' ? [] : (text.split(' ') as Token[]));

function basePattern(name: string): HandshakePattern {
  const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
  if (!row) throw new TypeError(`unknown Noise pattern ${JSON.stringify(name)}`);
  const [initiator, responder, ...messages] = row;
  return {
    name,
    preMessages: {
      initiator: split(initiator) as ('e' | 's')[],
      responder: split(responder) as ('e' | 's')[],
    },
    messages: messages.map((tokens, index) => ({
      sender: index % 2 === 0 ? 'initiator' : 'responder',
      tokens: split(tokens),
    })),
    isOneWay: messages.length === 1,
    pskCount: 0,
  };
}

/** The initiator's first message becomes its pre-message; the responder opens (Noise §10.2). */
function applyFallback(pattern: HandshakePattern): HandshakePattern {
  const [first, ...messages] = pattern.messages;
  const known = first?.tokens ?? [];
  const isPreMessage = known.every((token) => token === 'e' || token === 's');
  if (!isPreMessage || messages.length === 0 || pattern.preMessages.initiator.length > 0) {
    throw new TypeError(`Noise pattern ${pattern.name} cannot fall back`);
  }
  return {
    ...pattern,
    preMessages: { ...pattern.preMessages, initiator: known as ('e' | 's')[] },
    messages,
  };
}

/** `psk0` stands before the first message's tokens, `pskN` after the N-th message's (Noise §9.4). */
function applyPsk(pattern: HandshakePattern, position: number): HandshakePattern {
  const target = Math.max(position - 1, 0);
  if (target >= pattern.messages.length) {
    throw new TypeError(`Noise pattern ${pattern.name} has no message for psk${position}`);
  }
  const messages = pattern.messages.map((message, index): MessagePattern => {
    if (index !== target) return message;
    const tokens: Token[] = position === 0 ? ['psk', ...message.tokens] : [...message.tokens, 'psk'];
    return { ...message, tokens };
  });
  return { ...pattern, messages, pskCount: pattern.pskCount + 1 };
}

/**
 * Reads a pattern name with its modifiers, such as `IK`, `XXfallback+psk0` or `NNpsk0+psk2` (Noise §8).
 * @throws TypeError when the name is not a pattern of this engine.
 */
export function parsePattern(name: string): HandshakePattern {
  const [, base = '', modifiers = ''] = /^([A-Z1]+)(.*)$/.exec(name) ?? [];
  let pattern = basePattern(base);
  const seen = new Set<string>();
  for (const modifier of modifiers === '' ? [] : modifiers.split('+')) {
    if (seen.has(modifier)) throw new TypeError(`Noise modifier ${JSON.stringify(modifier)} stands twice`);
    seen.add(modifier);
    const psk = /^psk([0-9])$/.exec(modifier);
    if (psk) pattern = applyPsk(pattern, Number(psk[1]));
    else if (modifier === 'fallback') pattern = applyFallback(pattern);
    else throw new TypeError(`unknown Noise modifier ${JSON.stringify(modifier)}`);
  }
  return { ...pattern, name };
}

/** Names of all patterns without modifiers, one-way ones first. */
export const patternNames: readonly string[] = Object.keys(rows);
