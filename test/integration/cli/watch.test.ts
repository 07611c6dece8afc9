import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOSTILE_TEXT } from '../../helpers/hostile-text.ts';
import { until } from '../../helpers/until.ts';
import { ServedScreens, span } from './served-screens.ts';

const SLOW = { timeoutMs: 30_000 };
let served: ServedScreens;

beforeEach(() => {
  served = new ServedScreens();
});

afterEach(() => {
  served.dispose();
});

const open = async (agents: string[], args: string[], width = 80, height = 12): Promise<void> => {
  await served.start(...agents);
  served.terminal(width, height);
  await until(() => served.shown().includes('$'), SLOW);
  served.type(served.command('watch', ...args));
};

const rows = (): string[] => served.rows();

test('the cells are those of the agent, with the cursor where the agent has it', async () => {
  const screen = served.screen('coder');
  screen.draw(
    [
      'plain text',
      [span('red', { foreground: 2 }), span(' on ', { background: 5 }), span('bold', { attributes: 1 })],
      '世界 wide ｗ',
      [span('deep', { foreground: 0x1000000 + 0x12ab34 }), span(' 200', { foreground: 201 })],
      'é combining ❤️ heart 👨‍👩‍👧 family 🇩🇪',
      '└── lines ──┘',
    ],
    { cursorX: 5, cursorY: 2, height: 8 },
  );
  await open(['coder'], ['coder']);
  await until(() => rows()[0] === 'plain text', SLOW);
  // The heart has two columns on the agent's screen, and one in this terminal: what comes after stands where it was.
  expect(rows().slice(0, 6)).toEqual([
    'plain text',
    'red on bold',
    '世界 wide ｗ',
    'deep 200',
    'é combining ❤️  heart 👨‍👩‍👧 family 🇩🇪',
    '└── lines ──┘',
  ]);
  const coloured = served.shown('-e');
  expect(coloured).toContain('\x1b[31mred');
  expect(coloured).toContain('\x1b[44m on ');
  expect(coloured).toContain('\x1b[38;2;18;171;52mdeep');
  expect(coloured).toContain('\x1b[38;5;200m 200');
  expect(served.asked('#{cursor_x} #{cursor_y} #{cursor_flag}')).toBe('5 2 1');
  expect(rows()[11]).toMatch(/^home\/W-jarvis\/jarvis\/coder · live · 40x8 · connected \d+s · 1 watching · a/);

  screen.draw(['other text'], { cursorVisible: false, height: 8 });
  await until(() => rows()[0] === 'other text' && rows()[1] === '', SLOW);
  expect(served.asked('#{cursor_flag}')).toBe('0');
  served.press('q');
  await until(() => served.modes() === '0 1 1', SLOW);
  await until(() => served.screen('coder').watching === 0, SLOW);
  await served.echoes();
});

test('whatever a program tries, the terminal shows it and does nothing; also when the viewer is killed', async () => {
  const texts = Object.values(HOSTILE_TEXT);
  const screen = served.screen('coder');
  screen.draw(
    texts.map((text) => [span(text, { columns: 30 }), span('|', { foreground: 2 })]),
    { width: 31 },
  );
  await served.start('coder');
  served.terminal(100, 50);
  await until(() => served.shown().includes('$'), SLOW);
  const state =
    '#{pane_title} #{mouse_any_flag} #{mouse_sgr_flag} #{keypad_flag} #{origin_flag} #{insert_flag} ' +
    '#{scroll_region_upper} #{scroll_region_lower} #{pane_width}x#{pane_height} #{buffer_name}';
  const before = served.asked(state);
  served.type(served.command('watch', 'coder'));
  await until(() => rows()[49]?.includes('· live ·'), SLOW);
  // Each row ends where it should, whatever stands in it.
  expect(
    rows()
      .slice(0, texts.length)
      .map((row) => row.at(-1)),
  ).toEqual(texts.map(() => '|'));
  expect(served.asked(state)).toBe(before);
  process.kill(served.frontPid(), 'SIGKILL');
  await until(() => served.modes() === '0 1 1', SLOW);
  expect(served.asked(state)).toBe(before);
  // The shell's prompt may have gone with the alternate screen, if it was the quicker one.
  served.press('Enter');
  await until(() => served.shown().trimEnd().endsWith('$'), SLOW);
  // An answer of the terminal to a query would have been taken for a command.
  expect(served.shown()).not.toContain('not found');
  await served.echoes();
});

test('what does not fit is cut around the cursor, moved by keys, and found again', async () => {
  const lines = Array.from({ length: 40 }, (_, n) => `${`line ${n} `.padEnd(90, '.')}|${n}`);
  served.screen('coder').draw(lines, { width: 100, cursorX: 3, cursorY: 39 });
  await open(['coder'], ['coder'], 60, 10);
  await until(() => rows()[8]?.startsWith('line 39 .'), SLOW);
  expect(rows()[0]).toMatch(/^line 31 /);
  expect(rows()[9]).toContain('100x40 from 0,31');
  served.press('Up', 'Up', 'Right');
  await until(() => rows()[0]?.startsWith(' 29 ....'), SLOW);
  served.press('g');
  await until(() => rows()[0]?.startsWith(' 0 ....'), SLOW);
  served.press('f');
  await until(() => rows()[8]?.startsWith('line 39 .'), SLOW);
  served.screen('coder').draw(lines, { width: 100, cursorX: 95, cursorY: 20 });
  await until(() => rows().some((row) => row.endsWith('|20')), SLOW);
  served.tmux('resize-window', '-t', '=t:', '-x', '110', '-y', '50');
  await until(() => rows()[0]?.endsWith('|0') && rows()[39]?.endsWith('|39'), SLOW);
  expect(rows()[49]).toContain('100x40 · connected');
});

test('a break keeps the last picture, says what is missing, and goes on by itself', async () => {
  served.screen('coder').draw(['before the break']);
  await open(['coder'], ['coder']);
  await until(() => rows()[0] === 'before the break', SLOW);
  served.stop();
  await until(() => rows()[11]?.includes('no data for') && rows()[11]?.includes('resuming'), SLOW);
  expect(rows()[0]).toBe('before the break');
  expect(served.shown('-e').split('\n')[0]).toContain('\x1b[2mbefore the break');
  served.screen('coder').draw(['after the break']);
  await served.start('coder');
  await until(() => rows()[0] === 'after the break' && rows()[11]?.includes('· live ·'), SLOW);
  expect(served.shown('-e').split('\n')[0]).toBe('after the break');
});

test('a host that is silent, one that is polled, and one at which somebody types are said to be so', async () => {
  const screen = served.screen('coder');
  screen.draw(['last seen']);
  await open(['coder'], ['coder'], 120);
  await until(() => rows()[11]?.includes('· live ·'), SLOW);
  screen.say({ link: { state: 'resuming', reason: 'silent', ageMs: 2_000 }, silentMs: 7_000 });
  await until(() => rows()[11]?.match(/no data for \d+s \(resuming: silent\)/), SLOW);
  screen.say({
    link: { state: 'connected', reason: undefined, ageMs: 0 },
    silentMs: 0,
    source: 'polled',
    polledBecause: 'client hooks',
    writer: 'jarvis@W-jarvis',
  });
  await until(() => rows()[11]?.includes('polled · jarvis@W-jarvis types · 40x1'), SLOW);
});

test('several agents are tiles; one is taken out and put back; all ended, it leaves', async () => {
  for (const name of ['one', 'two', 'three']) served.screen(name).draw([`screen of ${name}`], { cursorX: 2 });
  await open(['one', 'two', 'three'], ['one', 'two', 'three'], 100, 24);
  await until(() => ['one', 'two', 'three'].every((name) => served.shown().includes(`screen of ${name}`)), SLOW);
  expect(served.shown()).toContain('▸home/W-jarvis/jarvis/one · live');
  expect(served.shown('-e')).toContain('sc\x1b[7mr');
  expect([...served.screens.values()].map(({ intervals }) => intervals)).toEqual([[100], [100], [100]]);
  served.press('Tab', 'Enter');
  await until(() => rows()[0] === 'screen of two' && rows()[23]?.startsWith('home/W-jarvis/jarvis/two'), SLOW);
  served.press('Enter');
  await until(() => served.shown().includes('▸home/W-jarvis/jarvis/two'), SLOW);
  served.screen('one').end();
  await until(() => served.shown().includes('one · the session ended'), SLOW);
  expect(served.shown()).toContain('screen of one');
  served.screen('two').end();
  served.screen('three').end({ lastExit: { signal: 'KILL' } });
  await until(() => served.shown().includes('three: the session ended (signal KILL)'), SLOW);
  await until(() => served.modes() === '0 1 1', SLOW);
  await served.echoes();
});
