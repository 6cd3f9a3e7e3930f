import type { PeerId } from '@nzcore/identity';
import { describe, expect, it } from 'vitest';
import { findPeer, parseCommand } from '../src/commands.ts';
import { parseOptions } from '../src/options.ts';
import { formatBytes, printable } from '../src/output.ts';

const alice = 'z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH' as PeerId;
const bob = 'z6MkqTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktJ' as PeerId;

describe('commands', () => {
  it('are read with their arguments, inner spaces kept', () => {
    expect(parseCommand('send abc hello  there ')).toEqual({
      name: 'send',
      peer: 'abc',
      text: 'hello  there',
    });
    expect(parseCommand('send-file abc /a b.txt')).toEqual({
      name: 'send-file',
      peer: 'abc',
      path: '/a b.txt',
    });
    expect(parseCommand('  peers ')).toEqual({ name: 'peers' });
    expect(parseCommand('   ')).toBeUndefined();
  });

  it('are refused with what was expected', () => {
    expect(() => parseCommand('send abc')).toThrow('usage: send <peer> <text>');
    expect(() => parseCommand('send-file abc')).toThrow('usage: send-file <peer> <path>');
    expect(() => parseCommand('connect')).toThrow('usage: connect <address>');
    expect(() => parseCommand('dance')).toThrow('there is no command "dance"; type help');
    expect(() => parseCommand('quit now')).toThrow('quit takes nothing after it');
  });

  it('find a peer by a part of its name that fits only one', () => {
    expect(findPeer(alice, [])).toBe(alice);
    expect(findPeer('ktH', [alice, bob, alice])).toBe(alice);
    expect(() => findPeer('z6Mk', [alice, bob])).toThrow('fits 2 peers');
    expect(() => findPeer('nobody', [alice])).toThrow('no known peer');
  });
});

describe('options', () => {
  it('become settings, and leave out what was not given', () => {
    const options = parseOptions(['--', '--data-dir', 'd', '--listen', 'a', '--listen', 'b', '--json']);
    expect(options).toMatchObject({ isJson: true, isHelp: false, maxFileBytes: 2 ** 30 });
    expect(options.config).toEqual({ dataDir: 'd', listen: ['a', 'b'], passphraseFile: undefined });
  });

  it('are refused in one line', () => {
    expect(() => parseOptions(['--colour'])).toThrow(/^Unknown option '--colour'; --help lists the options$/);
    expect(() => parseOptions(['stray'])).toThrow(/--help lists the options$/);
    expect(() => parseOptions(['--max-file-size', 'big'])).toThrow('expected a number of bytes, got "big"');
  });
});

describe('what is printed', () => {
  it('cannot move the cursor or hide anything', () => {
    expect(printable('a\u001b[2Jb\r\n\u202ec\u0000')).toBe('a\\u{1b}[2Jb\\u{d}\\u{a}\\u{202e}c\\u{0}');
    expect(printable('grüß 👋')).toBe('grüß 👋');
  });

  it('has sizes for people', () => {
    expect([0, 1023, 1024, 64 * 2 ** 20].map(formatBytes)).toEqual([
      '0 bytes',
      '1023 bytes',
      '1.0 KiB',
      '64.0 MiB',
    ]);
  });
});
