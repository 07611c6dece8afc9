import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TailTerminalRequest, TailTerminalResponse } from '../../../src/wire/gen/fleet/v1/terminal.ts';
import type { Running } from '../../helpers/fleet-program.ts';
import { until } from '../../helpers/until.ts';
import { ServedScreens } from './served-screens.ts';

const SLOW = { timeoutMs: 30_000 };
let served: ServedScreens;
let running: Running | null = null;
let asked: TailTerminalRequest[] = [];
/** Writes to the tail that is open now. */
let write: (message: TailTerminalResponse) => void = () => {};

const message = (lines: string[], over: Partial<TailTerminalResponse> = {}): TailTerminalResponse => ({
  lines,
  fullScreen: false,
  missed: 0,
  end: undefined,
  ...over,
});

beforeEach(() => {
  served = new ServedScreens();
  asked = [];
});

afterEach(() => served.dispose());

/** Tails begin with these lines. */
const serve = async (first: () => TailTerminalResponse): Promise<void> => {
  served.tail = (call) => {
    asked.push(call.request);
    write = (next) => void call.write(next);
    call.write(first());
    if (!call.request.follow) call.end();
  };
  await served.start('coder');
};

const tail = (...args: string[]): Running => {
  running = served.view.fleet('tail', ...args);
  return running;
};

test('the last lines are text that hides nothing, twenty unless told', async () => {
  await serve(() => message(['first', '\x1b]0;title\x07\x9b31m', 'user\u202etxt', '']));
  const { code, stdout, stderr } = await tail('coder').ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe('first\n␛]0;title␇\ufffd31m\nuser\ufffdtxt\n\n');
  await tail('-n', '3', 'coder').ended;
  expect(asked).toMatchObject([
    { hostAgent: 'W-jarvis/jarvis', key: 'k:coder', lines: 20, follow: false },
    { lines: 3, follow: false },
  ]);
});

test('of a full-screen program it is the screen, and that is said; so is what was missed', async () => {
  await serve(() => message(['top', 'bottom'], { fullScreen: true, missed: 7 }));
  expect(await tail('coder').ended).toEqual({
    code: 0,
    stdout: 'top\nbottom\n',
    stderr:
      'fleet: a full-screen program: this is its screen; there is no history\n' +
      'fleet: 7 lines missing here: they came too fast\n',
  });
});

test('followed over a break, each line is told once, and what is missing is said; it ends with the session', async () => {
  let history = ['one', 'two'];
  await serve(() => message(history));
  const { ended } = tail('-f', 'coder');
  await until(() => running?.stdout === 'one\ntwo\n', SLOW);
  write(message(['three']));
  await until(() => running?.stdout.endsWith('three\n'), SLOW);
  served.stop();
  await until(() => running?.stderr.includes('trying again'), SLOW);
  history = ['one', 'two', 'three', 'four'];
  await served.start('coder');
  await until(() => running?.stdout === 'one\ntwo\nthree\nfour\n', SLOW);
  served.stop();
  history = ['much', 'later'];
  await until(() => running?.stderr.match(/trying again/g)?.length === 2, SLOW);
  await served.start('coder');
  await until(() => running?.stdout.endsWith('four\nmuch\nlater\n'), SLOW);
  write(message([], { end: { reason: 'session_ended', detail: '', lastExit: { status: 2 } } }));
  const { code, stderr } = await ended;
  expect(code).toBe(0);
  expect(stderr).toContain('fleet: lines are missing here');
  expect(stderr).toMatch(/home\/W-jarvis\/jarvis\/coder: the session ended \(exit 2\)\n$/);
});

test('of no lines only those that come are told', async () => {
  await serve(() => message(['old']));
  tail('-n', '0', '-f', 'coder');
  await until(() => asked.length === 1, SLOW);
  expect(asked).toMatchObject([{ lines: 1 }]);
  write(message(['new']));
  await until(() => running?.stdout === 'new\n', SLOW);
});

test('for programs each line is an object', async () => {
  await serve(() => message(['one', 'two\x07']));
  const { stdout } = await tail('-o', 'ndjson', 'coder').ended;
  const address = 'home/W-jarvis/jarvis/coder';
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { schema: 'fleet.lines/v1', event: 'line', address, line: 'one' },
    { schema: 'fleet.lines/v1', event: 'line', address, line: 'two␇' },
  ]);
});

test('ctrl-c is a person who leaves; what cannot be had is said by the exit code', async () => {
  await serve(() => message(['one']));
  const { child, ended } = tail('-f', 'coder');
  await until(() => running?.stdout === 'one\n', SLOW);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
  expect((await tail('nobody').ended).code).toBe(4);
  expect((await tail('-n', '10001', 'coder').ended).code).toBe(2);
  served.tail = (call) => call.emit('error', { code: status.PERMISSION_DENIED, details: 'not yours' });
  expect(await tail('-f', 'coder').ended).toMatchObject({ code: 6, stderr: 'fleet: not yours\n' });
});

const RUN = { startedMs: 1_767_225_600_000, endedMs: 1_767_225_725_000, cause: 'ended', kept: 2, hasLines: true };

test('a run that is over: its lines, and how it ended; all that were kept unless told', async () => {
  await serve(() => message(['first', '\x1b[31mlast'], { run: { ...RUN, status: 1 } }));
  expect(await tail('coder', '--last-run').ended).toEqual({
    code: 0,
    stdout: 'first\n␛[31mlast\n',
    stderr: 'home/W-jarvis/jarvis/coder: run 1 of 2: ran 2m05s, ended 2026-01-01T00:02:05.000Z, exit 1, by itself\n',
  });
  await tail('coder', '--last-run=2', '-n', '1').ended;
  expect(asked).toMatchObject([
    { key: 'k:coder', lines: 10_000, follow: false, lastRun: 1 },
    { lines: 1, lastRun: 2 },
  ]);
});

test('a run that is over for programs, and the list of those that are kept', async () => {
  await serve(() => message(['gone'], { run: { ...RUN, cause: 'killed', signal: 'SIGKILL', hasLines: false } }));
  expect(JSON.parse((await tail('coder', '--last-run', '-o', 'json').ended).stdout)).toEqual({
    schema: 'fleet.run/v1',
    address: 'home/W-jarvis/jarvis/coder',
    run: 1,
    kept: 2,
    started: '2026-01-01T00:00:00.000Z',
    ended: '2026-01-01T00:02:05.000Z',
    status: null,
    signal: 'SIGKILL',
    cause: 'killed',
    has_lines: false,
    lines: ['gone'],
  });
  const listed = await tail('coder', '--runs').ended;
  expect(listed.stdout.split('\n')).toEqual([
    expect.stringMatching(/^run 1 of 2: .*signal SIGKILL, its tmux server was gone before, its lines were not kept$/),
    expect.stringMatching(/^run 2 of 2: /),
    '',
  ]);
});

test('an older host-agent, which tells what is shown now, is not taken for a run that is over', async () => {
  await serve(() => message(['live']));
  const { code, stdout, stderr } = await tail('coder', '--last-run').ended;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/too old to keep ended runs: fleet host upgrade/);
});

test.each([
  [['--last-run', '-f'], /cannot be followed/],
  [['--last-run=0'], /1 is the last run/],
  [['--last-run', '--runs'], /not both/],
  [['-o', 'json'], /for --last-run and --runs/],
])('%j is refused before anybody is asked', async (words, reason) => {
  await serve(() => message(['live']));
  const { code, stderr } = await tail('coder', ...words).ended;
  expect([code, stderr, asked]).toEqual([2, expect.stringMatching(reason), []]);
});
