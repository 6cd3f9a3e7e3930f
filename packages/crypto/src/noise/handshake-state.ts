import { concatBytes } from '../bytes.ts';
import type { KeyPair } from '../primitives.ts';
import { invalidMessage, MAX_MESSAGE_LENGTH } from './cipher-state.ts';
import { isUnavailable, NoiseError } from './errors.ts';
import { checkHandshakeKeys, DH_LENGTH, type HandshakeKeys, type HandshakeOutput } from './handshake-keys.ts';
import type { HandshakePattern, Role, Token } from './patterns.ts';
import type { CipherSuite } from './suite.ts';
import { SymmetricState } from './symmetric-state.ts';

/**
 * HandshakeState of Noise §5.3, one body for both roles: what is written by one side is read by the other,
 * token by token. A message that fails wipes everything; later calls throw `FINISHED`.
 */
export class HandshakeState implements Disposable {
  readonly #suite: CipherSuite;
  readonly #pattern: HandshakePattern;
  readonly #role: Role;
  #symmetric: SymmetricState;
  readonly #psks: Uint8Array[];
  #static: KeyPair | undefined;
  #ephemeral: KeyPair | undefined;
  #remoteStatic: Uint8Array | undefined;
  #remoteEphemeral: Uint8Array | undefined;
  #next = 0;
  #nextPsk = 0;
  #isDead = false;

  /** @throws TypeError or RangeError when a key that the pattern needs is missing or has the wrong length. */
  constructor(
    suite: CipherSuite,
    pattern: HandshakePattern,
    protocolName: string,
    role: Role,
    keys: HandshakeKeys,
  ) {
    this.#suite = suite;
    this.#pattern = pattern;
    this.#role = role;
    this.#psks = (keys.psks ?? []).map((psk) => new Uint8Array(psk));
    this.#static = keys.staticKeyPair;
    this.#ephemeral = keys.ephemeralKeyPair;
    this.#remoteStatic = keys.remoteStaticKey && new Uint8Array(keys.remoteStaticKey);
    this.#remoteEphemeral = keys.remoteEphemeralKey && new Uint8Array(keys.remoteEphemeralKey);
    checkHandshakeKeys(pattern, role, keys);
    this.#symmetric = new SymmetricState(suite, protocolName);
    this.#symmetric.mixHash(keys.prologue ?? new Uint8Array(0));
    for (const owner of ['initiator', 'responder'] as const) {
      for (const token of pattern.preMessages[owner]) this.#mixPreMessage(owner, token);
    }
  }

  /** Whose turn it is; undefined when all messages were exchanged, or one failed. */
  get nextSender(): Role | undefined {
    return this.#isDead ? undefined : this.#pattern.messages[this.#next]?.sender;
  }

  /** The other side's static public key, as soon as it is known. It is authentic only once its message has been read. */
  get remoteStaticKey(): Uint8Array | undefined {
    return this.#remoteStatic;
  }

  /** Bytes that the next message has beside its payload. */
  get nextOverhead(): number {
    let overhead = 0;
    let hasKey = this.#symmetric.overhead > 0;
    for (const token of this.#tokens()) {
      if (token === 's') overhead += DH_LENGTH + (hasKey ? 16 : 0);
      else if (token === 'e') overhead += DH_LENGTH;
      if (token !== 's' && (token !== 'e' || this.#pattern.pskCount > 0)) hasKey = true;
    }
    return overhead + (hasKey ? 16 : 0);
  }

  /**
   * Makes the next message.
   * @throws RangeError when it would be longer than 65535 bytes (nothing is changed then); NoiseError `FINISHED`.
   */
  writeMessage(payload: Uint8Array): Uint8Array {
    this.#expectTurn(this.#role);
    if (this.nextOverhead + payload.length > MAX_MESSAGE_LENGTH) {
      throw new RangeError('a Noise message has at most 65535 bytes');
    }
    const parts: Uint8Array[] = [];
    try {
      for (const token of this.#tokens()) {
        const part = this.#write(token);
        if (part) parts.push(part);
      }
      parts.push(this.#symmetric.encryptAndHash(payload));
    } catch (cause) {
      this[Symbol.dispose]();
      throw cause;
    }
    this.#next += 1;
    return concatBytes(...parts);
  }

  /**
   * Reads the other side's next message and answers its payload (fresh memory).
   * @throws NoiseError `INVALID_MESSAGE`: the state is wiped; `FINISHED`.
   */
  readMessage(message: Uint8Array): Uint8Array {
    this.#expectTurn(this.#role === 'initiator' ? 'responder' : 'initiator');
    try {
      if (message.length > MAX_MESSAGE_LENGTH || message.length < this.nextOverhead) throw invalidMessage();
      let rest = message;
      for (const token of this.#tokens()) rest = this.#read(token, rest);
      const payload = this.#symmetric.decryptAndHash(rest);
      this.#next += 1;
      return payload;
    } catch (cause) {
      this[Symbol.dispose]();
      throw isUnavailable(cause) ? cause : invalidMessage();
    }
  }

  /**
   * Ends a finished handshake and wipes it. The first of Split's keys belongs to who sent the first message (Noise §5.2).
   * @throws NoiseError `FINISHED` when messages are missing, or after the end.
   */
  split(): HandshakeOutput {
    if (this.#isDead || this.#next < this.#pattern.messages.length) {
      throw new NoiseError('FINISHED', 'the handshake is not complete');
    }
    const [first, second] = this.#symmetric.split();
    const sendsFirst = this.#pattern.messages[0]?.sender === this.#role;
    const output = {
      sendKey: sendsFirst ? first : second,
      receiveKey: sendsFirst ? second : first,
      handshakeHash: this.#symmetric.hash.slice(),
    };
    this[Symbol.dispose]();
    return output;
  }

  /**
   * Starts a fallback handshake (Noise §10) with the ephemeral key that the initiator sent in the first message here; this
   * state is wiped. The responder calls it after `readMessage` failed, the initiator instead of `readMessage`.
   * @param protocolName - Full name, such as `Noise_XXfallback_25519_ChaChaPoly_BLAKE2b`; `pattern` is its parsed pattern.
   * @throws TypeError when no first message was sent or read here.
   */
  fallback(pattern: HandshakePattern, protocolName: string, keys: HandshakeKeys): HandshakeState {
    const ephemeralKeyPair = this.#role === 'initiator' ? this.#ephemeral : undefined;
    this.#ephemeral = this.#role === 'initiator' ? undefined : this.#ephemeral;
    const remoteEphemeralKey = this.#role === 'responder' ? this.#remoteEphemeral : undefined;
    this[Symbol.dispose]();
    return new HandshakeState(this.#suite, pattern, protocolName, this.#role, {
      ...keys,
      ...(ephemeralKeyPair && { ephemeralKeyPair }),
      ...(remoteEphemeralKey && { remoteEphemeralKey }),
    });
  }

  /**
   * A second state that goes on from here with the same keys, both to be wiped by their owner: so that a message can be tried
   * which anybody may have put in. Only one of the two may ever write a further message.
   * @throws NoiseError `FINISHED`
   */
  fork(): HandshakeState {
    if (this.#isDead) throw new NoiseError('FINISHED', 'the handshake has ended');
    const ephemeral = this.#ephemeral;
    const twin = new HandshakeState(this.#suite, this.#pattern, '', this.#role, {
      psks: this.#psks,
      ...(this.#static && { staticKeyPair: this.#static }),
      ...(ephemeral && {
        ephemeralKeyPair: {
          publicKey: ephemeral.publicKey.slice(),
          secretKey: ephemeral.secretKey.slice(),
        },
      }),
      ...(this.#remoteStatic && { remoteStaticKey: this.#remoteStatic }),
      ...(this.#remoteEphemeral && { remoteEphemeralKey: this.#remoteEphemeral }),
    });
    twin.#symmetric[Symbol.dispose]();
    twin.#symmetric = this.#symmetric.fork();
    twin.#next = this.#next;
    twin.#nextPsk = this.#nextPsk;
    return twin;
  }

  /** Zeroes every secret of its own; later calls throw `FINISHED`. */
  [Symbol.dispose](): void {
    this.#isDead = true;
    const { wipe } = this.#suite.primitives;
    wipe(...this.#psks);
    if (this.#ephemeral) wipe(this.#ephemeral.secretKey);
    this.#static = undefined;
    this.#ephemeral = undefined;
    this.#symmetric[Symbol.dispose]();
  }

  #tokens(): readonly Token[] {
    return this.#pattern.messages[this.#next]?.tokens ?? [];
  }

  #expectTurn(sender: Role): void {
    if (this.#isDead) throw new NoiseError('FINISHED', 'the handshake has ended');
    if (this.nextSender !== sender)
      throw new TypeError('it is the other side’s turn, or the handshake is complete');
  }

  #write(token: Token): Uint8Array | undefined {
    if (token === 'e') {
      this.#ephemeral ??= this.#suite.primitives.x25519.generateKeyPair();
      this.#mixEphemeral(this.#ephemeral.publicKey);
      return this.#ephemeral.publicKey;
    }
    if (token === 's') return this.#symmetric.encryptAndHash(this.#static!.publicKey);
    this.#mix(token);
    return undefined;
  }

  #read(token: Token, message: Uint8Array): Uint8Array {
    if (token === 'e') {
      this.#remoteEphemeral = new Uint8Array(message.subarray(0, DH_LENGTH));
      this.#mixEphemeral(this.#remoteEphemeral);
      return message.subarray(DH_LENGTH);
    }
    if (token === 's') {
      const length = DH_LENGTH + this.#symmetric.overhead;
      this.#remoteStatic = this.#symmetric.decryptAndHash(message.subarray(0, length));
      return message.subarray(length);
    }
    this.#mix(token);
    return message;
  }

  /** Tokens that put no bytes on the wire. */
  #mix(token: 'ee' | 'es' | 'se' | 'ss' | 'psk'): void {
    if (token === 'psk') {
      this.#symmetric.mixKeyAndHash(this.#psks[this.#nextPsk++]!);
      return;
    }
    const [ours, theirs] = this.#role === 'initiator' ? [token[0], token[1]] : [token[1], token[0]];
    const pair = ours === 'e' ? this.#ephemeral! : this.#static!;
    const remote = theirs === 'e' ? this.#remoteEphemeral! : this.#remoteStatic!;
    const shared = this.#suite.primitives.x25519.sharedSecret(pair.secretKey, remote);
    this.#symmetric.mixKey(shared);
    this.#suite.primitives.wipe(shared);
  }

  /** With pre-shared keys the ephemeral key also goes into the chaining key (Noise §9.2). */
  #mixEphemeral(publicKey: Uint8Array): void {
    this.#symmetric.mixHash(publicKey);
    if (this.#pattern.pskCount > 0) this.#symmetric.mixKey(publicKey);
  }

  #mixPreMessage(owner: Role, token: 'e' | 's'): void {
    const isOurs = owner === this.#role;
    const key =
      token === 's'
        ? isOurs
          ? this.#static!.publicKey
          : this.#remoteStatic!
        : isOurs
          ? this.#ephemeral!.publicKey
          : this.#remoteEphemeral!;
    if (token === 'e') this.#mixEphemeral(key);
    else this.#symmetric.mixHash(key);
  }
}
