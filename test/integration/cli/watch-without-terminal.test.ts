import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Running } from '../../helpers/fleet-program.ts';
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

let running: Running | null = null;
const start = (...args: string[]): Running => {
  running = served.view.fleet('watch', ...args);
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
