import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../helpers/until.ts';
import { origin, SLOW, Stage } from './stage.ts';

const stage = new Stage();
const SIZE = '#{window_width}x#{window_height}';
const ownOption = (session: string): string =>
  stage.tmux.run('s', 'show-options', '-w', '-t', `=${session}:`, 'window-size');
const records = (): string[] => readdirSync(join(stage.tmux.tmpdir, 'lent'));

beforeAll(async () => {
  await stage.reader('inherits');
  await stage.reader('manual');
  stage.tmux.run('s', 'resize-window', '-t', '=manual:', '-x', '91', '-y', '27');
  await stage.reader('smallest');
  stage.tmux.run('s', 'set-option', '-w', '-t', '=smallest:', 'window-size', 'smallest');
});
afterAll(() => stage.close());

const lend = async (session: string, by = origin()) => {
  const held = stage.hold(session, by, { width: 133, height: 44 });
  await held.granted;
  expect(stage.fact(session, SIZE)).toBe('133x44');
  return held;
};

describe.for([
  ['inherits', '100x30', ''],
  ['manual', '91x27', 'window-size manual'],
  ['smallest', '100x30', 'window-size smallest'],
])('a window whose size %s', ([session, size, option]) => {
  const expectBack = () => expect([stage.fact(session!, SIZE), ownOption(session!)]).toEqual([size, option]);

  test('is as it was when the takeover ends', async () => {
    expectBack();
    const held = await lend(session!);
    expect(statSync(join(stage.tmux.tmpdir, 'lent', records()[0] as string)).mode & 0o777).toBe(0o600);
    held.leave();
    await held.ended;
    expectBack();
    expect(records()).toEqual([]);
  });

  test('is as it was for whoever displaces', async () => {
    const held = await lend(session!);
    const bob = stage.hold(session!, origin('bob'), { takeover: true });
    await bob.granted;
    await held.ended;
    expectBack();
    bob.leave();
    await bob.ended;
  });

  test('is as it was when the host-agent stops', async () => {
    const mine = stage.takeover;
    const held = await lend(session!);
    held.leave();
    await mine.stopped();
    expectBack();
  });

  test('is given back by the next host-agent when one was killed', async () => {
    const killed = stage.takeover;
    const held = await lend(session!);
    // What the killed one left is on disk; its own end is kept from the window until the next one has begun.
    stage.takeover = stage.newTakeover();
    stage.takeover.start();
    await stage.takeover.stopped();
    expectBack();
    expect(records()).toEqual([]);
    held.leave();
    await killed.stopped();
    expectBack();
  });
});

test('who leaves and comes back at once with another size gives back the first one of all', async () => {
  const first = await lend('inherits');
  first.leave();
  const second = stage.hold('inherits', origin(), { width: 140, height: 50 });
  await second.granted;
  expect(stage.fact('inherits', SIZE)).toBe('140x50');
  await first.ended;
  second.leave();
  await second.ended;
  expect([stage.fact('inherits', SIZE), ownOption('inherits')]).toEqual(['100x30', '']);
  expect(records()).toEqual([]);
});

test('a size that somebody gave meanwhile stays', async () => {
  const held = await lend('inherits');
  stage.tmux.run('s', 'resize-window', '-t', '=inherits:', '-x', '70', '-y', '20');
  held.leave();
  await held.ended;
  expect([stage.fact('inherits', SIZE), ownOption('inherits')]).toEqual(['70x20', '']);
});

test('other panes, or somebody’s own terminal, are not resized: it is refused, and the keyboard is free', async () => {
  await stage.reader('split');
  stage.tmux.run('s', 'split-window', '-d', '-t', '=split:', 'sleep 1000');
  const split = stage.hold('split', origin(), { width: 133, height: 44 });
  await expect(split.granted).rejects.toThrow(/2 panes share its window/);
  expect(stage.takeover.leases.writer('split')).toBeNull();

  await stage.reader('attended');
  const env = { ...process.env, TMUX: '', TMUX_TMPDIR: stage.tmux.tmpdir, TERM: 'xterm-256color' };
  const person = spawn('script', ['-qec', "tmux -u -L s attach-session -t '=attended'", '/dev/null'], { env });
  try {
    await until(() => stage.fact('attended', '#{session_attached}') === '1', SLOW);
    const held = stage.hold('attended', origin(), { width: 133, height: 44 });
    await expect(held.granted).rejects.toThrow(/somebody is attached/);
    expect(records()).toEqual([]);
  } finally {
    stage.tmux.run('s', 'detach-client', '-s', '=attended');
    person.kill();
  }
});

test('sizes without sense are refused', async () => {
  for (const [width, height] of [
    [5, 40],
    [100, 0],
    [100_000, 40],
  ]) {
    const held = stage.hold('manual', origin(), { width: width as number, height: height as number });
    await expect(held.granted).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
});
