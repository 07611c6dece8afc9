import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SourceUnderTest } from '../../helpers/tmux-source.ts';

/** Programs started by this process from now on. */
const countSpawns = () => {
  let spawns = 0;
  const count = () => {
    spawns += 1;
  };
  subscribe('child_process', count);
  return { count: () => spawns, [Symbol.dispose]: () => void unsubscribe('child_process', count) };
};

test('nothing is forked while a followed server changes or is quiet', async () => {
  await using under = new SourceUnderTest({ checkMs: 50, tickMs: 100, rescanMs: 100 });
  under.tmux.session('a', 'one');
  await under.follow();
  using spawned = countSpawns();
  const server = under.server()!;
  // Each title is set by the pane itself, so that this process starts nothing meanwhile.
  const script = 'i=0; while [ $i -lt 3 ]; do i=$((i+1)); printf "\\033]2;t$i\\007"; sleep 1; done; exec sleep 1000';
  under.tmux.run('a', 'respawn-pane', '-k', '-t', '=one:', script);
  const ours = spawned.count();
  await under.until(() => under.panes()[0]?.title === 't3');
  expect(spawned.count()).toBe(ours);
  expect(under.server()).toMatchObject({ pid: server.pid, problem: null, polled: null });
});

test('attached counts people, and no control client of any fleet', async () => {
  await using under = new SourceUnderTest();
  await using second = new SourceUnderTest({ tmuxTmpdir: under.tmux.tmpdir });
  under.tmux.session('a', 'one');
  await Promise.all([under.start(), second.start()]);
  await under.until(() => under.controlClients().length === 2);
  // A tmux inside of a pane of another server is a client with a terminal, as a person's is.
  const socket = under.tmux.socket('a');
  under.tmux.session('b', 'person', `TMUX= tmux -S ${socket} attach-session -t =one`);
  await under.until(() => under.sessions('a')[0]?.attached === 1);
  await under.until(() => second.source.current().servers[0]?.sessions[0]?.attached === 1);
  under.tmux.run('b', 'kill-server');
  await under.until(() => under.sessions('a')[0]?.attached === 0);
});

test('a pane is never resized, redrawn, typed into or made to look active by being followed', async () => {
  await using under = new SourceUnderTest();
  const record = join(under.tmux.tmpdir, 'record');
  const script = `trap 'echo resized >>${record}' WINCH; stty raw -echo; echo up >>${record}; printf '\\033[?1004h'; while :; do read -r x && echo "typed $x" >>${record}; done`;
  under.tmux.session('a', 'one', `bash -c ${JSON.stringify(script).replaceAll('$', '\\$')}`);
  await under.until(() => readFileSync(record, 'utf8') === 'up\n');
  const activity = () => under.tmux.run('a', 'list-panes', '-a', '-F', '#{window_activity}');
  // tmux's clock has whole seconds: the last output must be in an earlier one than ours.
  await under.until(() => Math.floor(Date.now() / 1_000) > Number(activity()) + 1);
  const before = activity();
  await under.follow();
  expect(under.panes()[0]?.activityMs).toBe(Number(before) * 1_000);
  await under.stop();
  expect(under.controlClients()).toEqual([]);
  expect(activity()).toBe(before);
  expect(readFileSync(record, 'utf8')).toBe('up\n');
  expect(under.tmux.run('a', 'list-panes', '-a', '-F', '#{pane_width}x#{pane_height}')).toBe('100x30');
});

test('stopping leaves the server, its sessions, options and environment as they were', async () => {
  await using under = new SourceUnderTest();
  const pid = under.tmux.session('a', 'one');
  under.tmux.run('a', 'set-environment', '-t', '=one', 'SSH_AUTH_SOCK', '/some/agent');
  const show = () =>
    ['show-options -s', 'show-options -g', 'show-options -gw', 'show-environment -g', 'show-environment -t =one'].map(
      (command) => under.tmux.run('a', ...command.split(' ')),
    );
  const before = show();
  await under.follow();
  expect(show()).toEqual(before);
  await under.stop();
  expect(show()).toEqual(before);
  expect(under.tmux.run('a', 'list-sessions', '-F', '#{pid} #{session_name}')).toBe(`${pid} one`);
});

test.each([
  ['destroy-unattached', ['set-option', '-t', 'one', 'destroy-unattached', 'on']],
  ['focus-events', ['set-option', '-s', 'focus-events', 'on']],
  ['client-attached', ['set-hook', '-g', 'client-attached[2]', 'set-option -g @fired 1']],
  ['client-detached', ['set-hook', '-t', 'one', 'client-detached', 'set-option -g @fired 1']],
])('a server with %s is polled, and says why', async (word, command) => {
  await using under = new SourceUnderTest({ pollMs: 50 });
  under.tmux.session('a', 'one');
  // A person is attached, or destroy-unattached would end the session at once.
  under.tmux.session('b', 'person', `TMUX= tmux -S ${under.tmux.socket('a')} attach-session -t =one`);
  await under.until(() => under.tmux.run('a', 'list-clients', '-F', 'x') === 'x');
  under.tmux.run('a', ...command);
  await under.start();
  await under.until(() => under.server()?.polled?.includes(word));
  under.tmux.run('a', 'rename-session', '-t', '=one', 'two');
  await under.until(() => under.names() === 'two');
  expect(under.controlClients()).toEqual([]);
  expect(under.tmux.run('a', 'show-options', '-gqv', '@fired')).toBe('');
  under.tmux.run('b', 'kill-server');
  if (word === 'destroy-unattached') await under.until(() => under.server() === undefined);
});

test('a server turned to exit-unattached while followed is let go, and ends as it would have without us', async () => {
  await using under = new SourceUnderTest({ pollMs: 50 });
  under.tmux.session('a', 'one');
  await under.follow();
  under.tmux.run('a', 'set-option', '-s', 'exit-unattached', 'on');
  await under.until(() => under.server() === undefined);
});

test('a server that our client could bring down is polled until the risk is over', async () => {
  await using under = new SourceUnderTest({ pollMs: 50 });
  const pid = under.tmux.session('a', 'anchor');
  await under.follow();
  const two = ['new-session', '-d', '-s', 'v', 'sleep 1000', ';', 'new-window', '-t', 'v:', 'sleep 1000'];
  under.tmux.run('a', ...two);
  await under.until(() => under.server()?.polled?.includes('several windows'));
  expect(under.controlClients()).toEqual([]);
  // tmux#5243: with a control client attached anywhere, this one list of commands ends servers up to 3.7c.
  under.tmux.run('a', 'select-window', '-t', 'v:0', ';', 'kill-session', '-t', 'v');
  await under.until(() => under.names() === 'anchor' && under.server()?.polled === null);
  expect(under.server()?.pid).toBe(pid);
});

test('a client of ours that somebody detaches comes back, without a fight', async () => {
  await using under = new SourceUnderTest();
  under.tmux.session('a', 'one');
  await under.follow();
  const [first] = under.controlClients();
  under.tmux.run('a', 'detach-client', '-s', '=one');
  await under.until(() => under.controlClients().some((pid) => pid !== first));
  expect(under.server()).toMatchObject({ problem: null, polled: null });
});

test('a server that runs on without a session is listed empty, and is followed from its first session on', async () => {
  await using under = new SourceUnderTest({ pollMs: 50 });
  const pid = under.tmux.session('a', 'one');
  under.tmux.run('a', 'set-option', '-s', 'exit-empty', 'off', ';', 'kill-session', '-t', '=one');
  await under.start();
  await under.until(() => under.server()?.polled != null);
  expect(under.server()).toMatchObject({ pid, problem: null, sessions: [], polled: 'no session to attach to' });
  under.tmux.session('a', 'two');
  await under.until(() => under.names() === 'two' && under.server()?.polled === null);
});
