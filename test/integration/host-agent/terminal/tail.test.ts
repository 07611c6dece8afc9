import { expect, test } from 'vitest';
import type { TailTerminalResponse } from '../../../../src/wire/gen/fleet/v1/terminal.ts';
import { TerminalGround } from '../../../helpers/terminal-ground.ts';
import { until } from '../../../helpers/until.ts';

const PATIENT = { timeoutMs: 60_000 };

const tailOf = async (ground: TerminalGround, session: string, lines: number, follow: boolean) => {
  const { key } = await until(() => ground.row(session), PATIENT);
  const heard: TailTerminalResponse[] = [];
  const stop = new AbortController();
  const done = ground.tail({ key, lines, follow }, (message) => heard.push(message), stop.signal);
  done.catch(() => undefined);
  if (!follow) await done;
  return {
    heard,
    done,
    stop,
    lines: () => heard.flatMap((message) => message.lines),
    missed: () => heard.reduce((sum, { missed }) => sum + missed, 0),
  };
};

test('the last lines come with history, wrapped ones whole, blank ones at the end left out', async () => {
  await using ground = new TerminalGround();
  const long = 'x'.repeat(250);
  ground.tmux.session('a', 'one', `seq 1 100; echo ${long}; echo last; printf '\\n\\n'; cat`);
  await ground.start();
  await until(() => ground.captured('a', 'one:').includes('last'), PATIENT);
  const tail = await tailOf(ground, 'one', 40, false);
  expect(tail.lines()).toHaveLength(40);
  expect(tail.lines().slice(-4)).toEqual(['99', '100', long, 'last']);
  expect(tail.heard[0]).toMatchObject({ fullScreen: false, missed: 0 });
});

test('of a full-screen program the screen is told, and that it is one', async () => {
  await using ground = new TerminalGround();
  ground.tmux.session('a', 'one', String.raw`seq 1 100; printf '\033[?1049h\033[Htop\n\nbelow'; cat`);
  await ground.start();
  await until(() => ground.captured('a', 'one:').includes('below'), PATIENT);
  const tail = await tailOf(ground, 'one', 10, false);
  expect(tail.heard).toMatchObject([{ fullScreen: true, missed: 0 }]);
  expect(tail.lines().map((line) => line.trim())).toEqual(['top', '', 'below']);
});

test('each further line comes once, while history is full and lines are alike', async () => {
  await using ground = new TerminalGround();
  ground.tmux.run(
    'a',
    'start-server',
    ';',
    'set-option',
    '-g',
    'history-limit',
    '200',
    ';',
    'new-session',
    '-d',
    '-s',
    'one',
    '-x',
    '80',
    '-y',
    '20',
    'sh',
  );
  ground.tmux.session('a', 'other');
  await ground.start();
  const type = (line: string) => ground.tmux.run('a', 'send-keys', '-t', 'one:', line, 'Enter');
  const tail = await tailOf(ground, 'one', 5, true);
  await until(() => tail.heard.length > 0, PATIENT);
  const told = tail.lines().length;
  type(`i=0; while [ $i -lt 150 ]; do i=$((i+1)); echo "line $i"; echo same; sleep 0.04; done; echo 'the end'`);
  await until(() => tail.lines().includes('the end'), { timeoutMs: 40_000 });
  const lines = tail.lines().slice(told);
  expect(lines.filter((line) => /^line \d+$/.test(line))).toEqual(
    Array.from({ length: 150 }, (_, i) => `line ${i + 1}`),
  );
  expect(lines.filter((line) => line === 'same')).toHaveLength(150);
  expect(tail.missed()).toBe(0);
  tail.stop.abort();
  await tail.done;
});

test('a burst that history cannot hold is counted as missed, and following goes on after it', async () => {
  await using ground = new TerminalGround();
  ground.tmux.session('a', 'one', 'sh');
  await ground.start();
  const type = (line: string) => ground.tmux.run('a', 'send-keys', '-t', 'one:', line, 'Enter');
  const tail = await tailOf(ground, 'one', 5, true);
  await until(() => tail.heard.length > 0, PATIENT);
  type('seq 1 300000; echo burst is over');
  await until(() => tail.lines().includes('burst is over'), PATIENT);
  expect(tail.missed()).toBeGreaterThan(0);
  type('echo and on');
  await until(() => tail.lines().includes('and on'), PATIENT);
  expect(tail.lines().filter((line) => line === 'burst is over')).toHaveLength(1);
  ground.tmux.run('a', 'kill-session', '-t', '=one');
  await tail.done;
  expect(tail.heard.at(-1)?.end).toBeDefined();
});
