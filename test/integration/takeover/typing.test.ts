import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TypingLine } from '../../../host-agent/tmux/typing-line.ts';
import { checkStrokes, isKeyName, type KeyStroke } from '../../../src/domain/key-stroke.ts';
import { until } from '../../helpers/until.ts';
import { SLOW, Stage } from './stage.ts';

/** Keys, and the bytes that a terminal of its own kind sends for them to a program in its normal mode (xterm, VT220). */
const KEYS: readonly (readonly [name: string, bytes: string])[] = [
  ['Up', '\x1b[A'],
  ['Down', '\x1b[B'],
  ['Right', '\x1b[C'],
  ['Left', '\x1b[D'],
  ['Home', '\x1b[1~'],
  ['End', '\x1b[4~'],
  ['PageUp', '\x1b[5~'],
  ['PPage', '\x1b[5~'],
  ['PageDown', '\x1b[6~'],
  ['NPage', '\x1b[6~'],
  ['Insert', '\x1b[2~'],
  ['IC', '\x1b[2~'],
  ['Delete', '\x1b[3~'],
  ['DC', '\x1b[3~'],
  ['BSpace', '\x7f'],
  ['Tab', '\t'],
  ['BTab', '\x1b[Z'],
  ['Enter', '\r'],
  ['Escape', '\x1b'],
  ['Space', ' '],
  ['F1', '\x1bOP'],
  ['F5', '\x1b[15~'],
  ['F12', '\x1b[24~'],
  ['C-a', '\x01'],
  ['C-c', '\x03'],
  ['C-z', '\x1a'],
  ['C-@', '\0'],
  ['C-Space', '\0'],
  ['C-[', '\x1b'],
  ['C-\\', '\x1c'],
  ['C-]', '\x1d'],
  ['C-^', '\x1e'],
  ['C-_', '\x1f'],
  ['M-x', '\x1bx'],
  ['M-X', '\x1bX'],
  ['M-;', '\x1b;'],
  ["M-'", "\x1b'"],
  ['M-"', '\x1b"'],
  ['M-#', '\x1b#'],
  ['M-{', '\x1b{'],
  ['M-$', '\x1b$'],
  ['M-\\', '\x1b\\'],
  ['M-é', '\x1b\xc3\xa9'],
  ['M-Enter', '\x1b\r'],
  ['M-BSpace', '\x1b\x7f'],
  ['M-Escape', '\x1b\x1b'],
  ['C-M-x', '\x1b\x18'],
  ['S-Up', '\x1b[1;2A'],
  ['C-Left', '\x1b[1;5D'],
  ['M-Right', '\x1b[1;3C'],
  ['C-M-S-Left', '\x1b[1;8D'],
  ['C-Delete', '\x1b[3;5~'],
  ['S-F3', '\x1b[1;2R'],
  ['C-F12', '\x1b[24;5~'],
];

const TEXTS = [
  'plain words',
  'trailing;',
  ';',
  ' \\; ',
  "it's",
  'say "yes"',
  '#{pane_id} #[fg=red]',
  '\\ \\n \\e[31m',
  '$HOME ~ {a} %0 -l --',
  'grüße 漢字 😀 👩‍👩‍👧 e\u0301',
  '-',
  'Enter',
];

for (const way of ['a control client', 'short-lived clients']) {
  describe(`typed by ${way}`, () => {
    const stage = new Stage();
    let line: TypingLine;
    const open = (session: string): Promise<TypingLine> => {
      const [paneId, panePid] = stage.fact(session, '#{pane_id} #{pane_pid}').split(' ') as [string, string];
      return openAt(stage, paneId, Number(panePid));
    };
    const openAt = async (on: Stage, paneId: string, panePid: number): Promise<TypingLine> => {
      const opened = new TypingLine({
        tmuxPath: 'tmux',
        uid: process.getuid!(),
        socket: on.tmux.socket('s'),
        paneId,
        panePid,
        mayFollow: () => way === 'a control client',
        onChange: () => ({ [Symbol.dispose]: () => undefined }),
      });
      opened.start();
      if (way === 'a control client') await until(() => opened.isFast, SLOW);
      return opened;
    };
    const type = (strokes: KeyStroke[], on = line) => on.type(checkStrokes(strokes), new AbortController().signal);

    beforeAll(async () => {
      await stage.reader('plain');
      await stage.reader('brackets', '\\x1b[?2004h');
      await stage.reader('cursor-keys', '\\x1b[?1h');
      line = await open('plain');
    });
    afterAll(async () => {
      await line?.close();
      await stage.close();
    });

    test('every key arrives as the program expects it', async () => {
      for (const [key, bytes] of KEYS) {
        stage.forget('plain');
        expect(isKeyName(key)).toBe(true);
        await type([{ key }]);
        expect([key, await stage.got('plain', bytes.length)]).toEqual([key, bytes]);
      }
    });

    test('keys follow the mode of the program', async () => {
      const other = await open('cursor-keys');
      await type([{ key: 'Up' }, { key: 'Home' }], other);
      expect(await stage.got('cursor-keys', 7)).toBe('\x1bOA\x1b[1~');
      await other.close();
    });

    test('text arrives byte for byte, whatever tmux would read into it', async () => {
      for (const text of TEXTS) {
        stage.forget('plain');
        await type([{ text }]);
        await stage.got('plain', Buffer.byteLength(text));
        expect(stage.bytes('plain').toString()).toBe(text);
      }
    });

    test('text, keys and pastes of one batch keep their order', async () => {
      stage.forget('plain');
      await type([{ text: 'a' }, { key: 'Enter' }, { paste: 'b' }, { text: 'c' }, { text: 'd' }, { key: 'C-a' }]);
      expect(await stage.got('plain', 6)).toBe('a\rbcd\x01');
    });

    test('a paste is bracketed where the program asks for it, and cannot close its bracket', async () => {
      const bracketing = await open('brackets');
      await type([{ paste: 'one;\r\ntwo\x1b[201~rm\tx' }], bracketing);
      const expected = '\x1b[200~one;\ntwo[201~rm\tx\x1b[201~';
      expect(await stage.got('brackets', expected.length)).toBe(expected);
      await bracketing.close();
      stage.forget('plain');
      await type([{ paste: "#{x} 'quoted'\n" }]);
      expect(await stage.got('plain', 14)).toBe("#{x} 'quoted'\n");
      expect(stage.tmux.run('s', 'list-buffers')).toBe('');
    });

    test('a paste of 200 kB arrives whole', async () => {
      stage.forget('plain');
      const paste = 'x123456789'.repeat(20_000);
      await type([{ paste }]);
      expect((await stage.got('plain', paste.length)) === paste).toBe(true);
    });

    test('typing leaves somebody’s copy mode', async () => {
      stage.forget('plain');
      stage.tmux.run('s', 'copy-mode', '-t', '=plain:');
      await type([{ text: 'q' }, { key: 'Enter' }]);
      expect(await stage.got('plain', 2)).toBe('q\r');
      expect(stage.fact('plain', '#{pane_in_mode}')).toBe('0');
    });

    test('another life of the pane gets nothing: it is said to be gone', async () => {
      const fresh = new Stage();
      try {
        await fresh.reader('next');
        const [paneId, panePid] = fresh.fact('next', '#{pane_id} #{pane_pid}').split(' ') as [string, string];
        for (const strokes of [[{ text: 'x' }, { key: 'Enter' }], [{ paste: 'x' }]]) {
          const other = await openAt(fresh, paneId, Number(panePid) + 1);
          await expect(type(strokes as KeyStroke[], other)).rejects.toMatchObject({ code: 'NOT_FOUND' });
          await other.close();
        }
        const same = await openAt(fresh, paneId, Number(panePid));
        await type([{ text: 'mine' }], same);
        await same.close();
        expect(await fresh.got('next', 4)).toBe('mine');
        expect(fresh.tmux.run('s', 'list-buffers')).toBe('');
      } finally {
        await fresh.close();
      }
    });

    test('a pane that has gone is said to be gone', async () => {
      await stage.reader('short');
      const other = await open('short');
      stage.tmux.run('s', 'kill-session', '-t', '=short');
      await expect(type([{ text: 'x' }], other)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await other.close();
    });
  });
}
