import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Running, startFleet } from '../../helpers/fleet-program.ts';
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

const rows = (): string[] => served.shown().split('\n');
const isClean = (): boolean =>
  served.modes() === '0 1 1' && / echo\b/.test(served.settings()) && / icanon\b/.test(served.settings());
const childOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
/** A shell has job control and line editing: its own settings stand while it waits. */
const echoes = async (): Promise<void> => {
  served.press('C-u');
  served.type("printf '%s-%s\\n' still here");
  await until(() => served.shown().includes('still-here'), SLOW);
};

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
  expect(rows()[11]).toMatch(/^home\/W-jarvis\/jarvis\/coder · live · 40x8 · connected 3s · 1 watching · a/);

  screen.draw(['other text'], { cursorVisible: false, height: 8 });
  await until(() => rows()[0] === 'other text' && rows()[1] === '', SLOW);
  expect(served.asked('#{cursor_flag}')).toBe('0');
  served.press('q');
  await until(() => served.modes() === '0 1 1', SLOW);
  await until(() => served.screen('coder').watching === 0, SLOW);
  await echoes();
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
  await echoes();
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

describe('the terminal is given back', () => {
  const watching = async (...env: string[]): Promise<void> => {
    served.screen('coder').draw(['what it shows']);
    await served.start('coder');
    served.terminal(80, 12, undefined, ...env);
    await until(() => served.shown().includes('$'), SLOW);
    served.type(`${served.command('watch', 'coder')}; echo "left with $?"`);
    await until(() => served.shown().includes('what it shows'), SLOW);
    expect(served.modes()).toBe('1 1 0');
    expect(served.settings()).toMatch(/ -echo\b/);
  };

  test.each([
    ['q', 0],
    ['C-c', 0],
  ])('on %s', async (key, code) => {
    await watching();
    served.press(key);
    await until(() => served.shown().includes(`left with ${code}`), SLOW);
    expect(served.shown()).not.toContain('what it shows');
    await until(() => served.modes() === '0 1 1', SLOW);
    await echoes();
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 0],
  ] as const)('on %s', async (signal, code) => {
    await watching();
    process.kill(served.frontPid(), signal);
    await until(() => served.shown().includes(`left with ${code}`), SLOW);
    await until(() => served.modes() === '0 1 1', SLOW);
    await echoes();
  });

  test('when the session ends, and why is said', async () => {
    await watching();
    served.screen('coder').end({ lastExit: { status: 3 } });
    await until(() => served.shown().includes('left with 0'), SLOW);
    expect(served.shown()).toContain('home/W-jarvis/jarvis/coder: the session ended (exit 3)');
    await until(() => served.modes() === '0 1 1', SLOW);
    await echoes();
  });

  test('when the program crashes', async () => {
    const crash = join(served.view.home, 'crash.mjs');
    writeFileSync(crash, "process.on('SIGUSR2', () => { throw new Error('on purpose'); });");
    await watching(`NODE_OPTIONS=--import=${crash}`);
    process.kill(served.frontPid(), 'SIGUSR2');
    await until(() => served.shown().includes('left with 1'), SLOW);
    expect(served.shown()).toContain('on purpose');
    await until(() => served.modes() === '0 1 1', SLOW);
    await echoes();
  });

  test('when it is killed at once, under a shell', async () => {
    await watching();
    process.kill(served.frontPid(), 'SIGKILL');
    await until(() => served.modes() === '0 1 1', SLOW);
    await echoes();
  });

  test('when it is killed at once, and nobody else mends the terminal', async () => {
    served.screen('coder').draw(['what it shows']);
    await served.start('coder');
    served.terminal(80, 12, `sh -c '${served.command('watch', 'coder').replaceAll("'", '"')}; exec sleep 1000'`);
    await until(() => served.shown().includes('what it shows'), SLOW);
    expect(isClean()).toBe(false);
    const pid = served.tmux('list-panes', '-F', '#{pane_pid}').trim();
    process.kill(childOf(Number(pid)), 'SIGKILL');
    await until(isClean, SLOW);
  });

  test('while it is suspended, and drawn again when it goes on', async () => {
    await watching();
    served.press('C-z');
    await until(() => served.shown().includes('Stopped') && served.modes() === '0 1 1', SLOW);
    await echoes();
    served.type('fg');
    await until(() => served.shown().startsWith('what it shows') && served.modes() === '1 1 0', SLOW);
  });
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
  await until(() => rows()[11]?.includes('no data for 7s (resuming: silent)'), SLOW);
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
  await echoes();
});

describe('without a terminal', () => {
  let running: Running | null = null;
  afterEach(async () => {
    running?.child.kill('SIGKILL');
    await running?.ended;
    running = null;
  });
  const start = (...args: string[]): Running => {
    running = startFleet(['--instance', served.view.instance, 'watch', ...args], { HOME: served.view.home });
    return running;
  };
  const lines = (text: string) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));

  test('the screen once is text, with colours where asked, or one object', async () => {
    served.screen('coder').draw(['one  ', [span('two', { foreground: 3, attributes: 1 }), span('  ')], '', '世'], {
      cursorX: 2,
      alternateScreen: true,
    });
    await served.start('coder');
    expect(await start('--once', 'coder').ended).toEqual({ code: 0, stdout: 'one\ntwo\n\n世\n', stderr: '' });
    expect((await start('--once', '-o', 'ansi', 'coder').ended).stdout).toBe('one  \n\x1b[0;1;32mtwo\x1b[0m  \n\n世\n');
    const [object] = lines((await start('--once', '-o', 'json', 'coder').ended).stdout);
    expect(object).toMatchObject({
      schema: 'fleet.screen/v1',
      address: 'home/W-jarvis/jarvis/coder',
      width: 40,
      height: 4,
      cursor: { x: 2, y: 0, visible: true },
      alternate_screen: true,
      captured_at: '2026-09-21T14:13:20.000Z',
      rows: ['one', 'two', '', '世'],
      status: { connection: 'live', source: 'live', watchers: ['W-jarvis:jarvis'] },
    });
    expect(object.spans[1][0]).toEqual({
      text: 'two',
      columns: 3,
      foreground: 2,
      background: null,
      underline_color: null,
      attributes: ['bold'],
    });
  });

  test('a picture that was kept while its host is away is shown once, said to be none of now, and no success', async () => {
    const screen = served.screen('coder');
    screen.draw(['one']);
    await served.start('coder');
    screen.say({ link: { state: 'lost', reason: 'silent', ageMs: 40_000 }, silentMs: 46_000 });
    const { code, stdout, stderr } = await start('--once', 'coder').ended;
    expect({ code, stdout }).toEqual({ code: 5, stdout: 'one\n' });
    expect(stderr).toMatch(/^home\/W-jarvis\/jarvis\/coder: as last seen: no data for 4\ds \(lost: silent\)\n$/);
  });

  test('frames, status and the end are one object a line, over a break too', async () => {
    const screen = served.screen('coder');
    screen.draw(['first']);
    await served.start('coder');
    const { ended } = start('coder');
    await until(() => running?.stdout.includes('"first"'), SLOW);
    served.stop();
    await until(() => running?.stdout.includes('"connection":"broken"'), SLOW);
    screen.draw(['second']);
    await served.start('coder');
    await until(() => running?.stdout.includes('"second"'), SLOW);
    screen.end({ lastExit: { status: 0 } });
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'home/W-jarvis/jarvis/coder: the session ended (exit 0)\n' });
    const told = lines(stdout);
    expect(told.filter(({ event }) => event === 'frame').map(({ rows: [row] }) => row)).toEqual(['first', 'second']);
    expect(new Set(told.map(({ schema }) => schema))).toEqual(new Set(['fleet.screen/v1']));
    expect(told.at(-1)).toEqual({
      schema: 'fleet.screen/v1',
      event: 'end',
      address: 'home/W-jarvis/jarvis/coder',
      reason: 'session_ended',
      detail: null,
      last_exit: { status: 0, signal: null },
    });
  });

  test('who is not there, not allowed, or not to be reached is said by the exit code', async () => {
    expect((await start('coder').ended).code).toBe(5);
    await served.start('coder');
    expect((await start('nobody').ended).code).toBe(4);
    served.watch = (call) => call.emit('error', { code: status.PERMISSION_DENIED, details: 'not yours' });
    expect(await start('coder').ended).toMatchObject({ code: 6, stderr: 'fleet: not yours\n' });
    served.watch = (call) => call.emit('error', { code: status.UNAVAILABLE, details: 'dragon-lin is lost' });
    expect(await start('--once', 'coder').ended).toMatchObject({ code: 5, stderr: 'fleet: dragon-lin is lost\n' });
    expect((await start('--once', 'coder', 'other').ended).code).toBe(2);
    expect((await start('--fps', '0', 'coder').ended).code).toBe(2);
    expect((await start('-o', 'json', 'coder').ended).code).toBe(2);
  });

  test('ctrl-c is a person who leaves', async () => {
    served.screen('coder').draw(['first']);
    await served.start('coder');
    const { child, ended } = start('coder');
    await until(() => running?.stdout.includes('"first"'), SLOW);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });
});
