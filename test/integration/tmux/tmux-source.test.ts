import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readStat } from '../../helpers/testbed/processes.ts';
import { SourceUnderTest } from '../../helpers/tmux-source.ts';

// A rescan and a poll so slow that only inotify and the control client can explain what these tests see.
const SLOW = { rescanMs: 3_600_000, pollMs: 3_600_000, tickMs: 3_600_000, checkMs: 3_600_000 };

test('a machine without a tmux folder has no servers, and its first server is seen when it comes', async () => {
  await using under = new SourceUnderTest(SLOW);
  await under.start();
  expect(under.source.current()).toEqual({ servers: [] });
  const pid = under.tmux.session('a', 'one');
  const server = await under.until(() => under.server());
  expect(server).toMatchObject({ pid, problem: null, version: expect.stringMatching(/^\d/) });
  // Part of its agents' keys: no wall clock is in it, of which the kernel tells boot in whole seconds, rounded to and fro.
  expect(server.startTicks).toBe(readStat(pid)?.startTicks);
});

test('the first look is complete when start resolves', async () => {
  await using under = new SourceUnderTest({ ...SLOW, answerMs: 20_000 });
  under.tmux.session('a', 'one');
  under.tmux.session('b', 'two');
  await under.start();
  expect([under.names('a'), under.names('b')]).toEqual(['one', 'two']);
  expect(under.panes()[0]).toMatchObject({
    command: 'sleep',
    width: 100,
    height: 30,
    dead: false,
    active: true,
    inMode: false,
    alternateScreen: false,
  });
});

test('sessions created, renamed and ended are followed as they are', async () => {
  await using under = new SourceUnderTest(SLOW);
  under.tmux.session('a', 'one');
  await under.follow();
  expect(under.server()?.polled).toBeNull();
  const marks: [string, number][] = [];
  const seen = async (what: string, names: string) => {
    const startMs = performance.now();
    await under.until(() => under.names() === names);
    marks.push([what, Math.round(performance.now() - startMs)]);
  };
  under.tmux.session('a', 'x y/z "q" 😀');
  await seen('created', 'one x y/z "q" 😀');
  const { id } = under.sessions().find(({ name }) => name !== 'one')!;
  under.tmux.run('a', 'rename-session', '-t', id, 'two');
  await seen('renamed', 'one two');
  expect(under.sessions().find(({ name }) => name === 'two')?.id).toBe(id);
  under.tmux.run('a', 'kill-session', '-t', '=two');
  await seen('ended', 'one');
  console.info(`change latency, polled every 20 ms: ${marks.map(([what, ms]) => `${what} ${ms} ms`).join(', ')}`);
});

test('the session that the client is attached to may end: the others are still followed', async () => {
  await using under = new SourceUnderTest(SLOW);
  under.tmux.session('a', '_first');
  under.tmux.session('a', 'second');
  await under.follow();
  const [client] = under.controlClients();
  under.tmux.run('a', 'kill-session', '-t', '=_first');
  await under.until(() => under.names() === 'second' && under.controlClients().some((pid) => pid !== client));
  under.tmux.session('a', 'third');
  await under.until(() => under.names() === 'second third');
});

test('sessions of one group name it and share their panes', async () => {
  await using under = new SourceUnderTest(SLOW);
  under.tmux.session('a', 'coder0');
  await under.follow();
  under.tmux.run('a', 'new-session', '-d', '-t', 'coder0', '-s', 'coder0-0');
  await under.until(() => under.names() === 'coder0 coder0-0');
  expect(under.sessions().map(({ group, paneIds }) => [group, paneIds])).toEqual([
    ['coder0', ['%0']],
    ['coder0', ['%0']],
  ]);
  expect(under.panes()).toHaveLength(1);
});

test('a split window shows both panes in order, with one of them active', async () => {
  await using under = new SourceUnderTest(SLOW);
  under.tmux.session('a', 'one');
  await under.follow();
  under.tmux.run('a', 'split-window', '-b', '-t', '=one:', 'sleep 1000');
  await under.until(() => under.sessions()[0]?.paneIds.join(' ') === '%1 %0');
  expect(under.panes().map(({ id, active }) => [id, active])).toEqual([
    ['%1', true],
    ['%0', false],
  ]);
});

test.each([
  ['exit 3', { exitStatus: 3, signal: null }],
  ['kill -9 $$', { exitStatus: null, signal: 'SIGKILL' }],
])('a pane that ends by `%s` and remains is dead, with its status', async (command, status) => {
  await using under = new SourceUnderTest(SLOW);
  under.tmux.session('a', 'one');
  under.tmux.run('a', 'set-option', '-g', 'remain-on-exit', 'on');
  await under.follow();
  under.tmux.run('a', 'respawn-pane', '-k', '-t', '=one:', command);
  await under.until(() => {
    const [pane] = under.panes();
    return pane?.dead && pane.exitStatus === status.exitStatus && pane.signal === status.signal;
  });
});

test('titles and commands, which no notification tells, arrive by the subscription', async () => {
  await using under = new SourceUnderTest(SLOW);
  under.tmux.session('a', 'one');
  await under.follow();
  under.tmux.run('a', 'select-pane', '-t', '=one:', '-T', 'é 😀 \\ "q"');
  await under.until(() => under.panes()[0]?.title === 'é 😀 \\ "q"');
  under.tmux.run('a', 'respawn-pane', '-k', '-t', '=one:', 'cat');
  await under.until(() => under.panes()[0]?.command === 'cat');
});

test('a title with ESC and newline, and a folder named to end a reply, break nothing', async () => {
  await using under = new SourceUnderTest(SLOW);
  under.tmux.session('a', 'one');
  await under.follow();
  const folder = join(under.tmux.tmpdir, 'x\n%end 1 2 1\n%exit');
  mkdirSync(folder);
  under.tmux.session('a', 'two', "printf '\\033]2;a\\033\\134b\\nc\\007'; exec sleep 1000", '-c', folder);
  under.tmux.session('a', 'three', "printf '\\033]2;ti\\001\\ttle\\007'; exec sleep 1000");
  await under.until(() => under.names() === 'one three two');
  const [two] = under.sessions().filter(({ name }) => name === 'two');
  const pane = await under.until(() => under.panes().find(({ id, cwd }) => id === two?.paneIds[0] && cwd !== ''));
  expect(pane.cwd).toBe(join(under.tmux.tmpdir, 'x?%end 1 2 1?%exit'));
  for (const { title } of under.panes()) expect(title).not.toMatch(/[\u0000-\u001f]/);
  expect(under.server()).toMatchObject({ problem: null, polled: null });
  rmSync(folder, { recursive: true });
});

test('a server on another socket of this user is found by its process', async () => {
  await using under = new SourceUnderTest({ ...SLOW, rescanMs: 100 });
  await under.start();
  const socket = join(under.tmux.tmpdir, 'elsewhere', 'own.sock');
  mkdirSync(join(under.tmux.tmpdir, 'elsewhere'), { mode: 0o700 });
  under.tmux.run('unused', '-S', socket, 'new-session', '-d', '-s', 'far', 'sleep 1000');
  try {
    const server = await under.until(() => under.source.current().servers[0]);
    expect(server).toMatchObject({ socket, problem: null, sessions: [{ name: 'far' }] });
  } finally {
    under.tmux.run('unused', '-S', socket, 'kill-server');
  }
});
