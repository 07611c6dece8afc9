import { chmodSync, existsSync, symlinkSync, unlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SourceUnderTest } from '../../helpers/tmux-source.ts';

test('a killed server leaves its socket file, and is gone from the list', async () => {
  await using under = new SourceUnderTest();
  const pid = under.tmux.session('a', 'one');
  await under.start();
  await under.until(() => under.names() === 'one');
  process.kill(pid, 'SIGKILL');
  await under.until(() => under.source.current().servers.length === 0);
  expect(existsSync(under.tmux.socket('a'))).toBe(true);
});

test('a stale socket file alone is no server', async () => {
  await using under = new SourceUnderTest();
  const pid = under.tmux.session('a', 'one');
  process.kill(pid, 'SIGKILL');
  await under.until(() => {
    try {
      return process.kill(pid, 0) && false;
    } catch {
      return true;
    }
  });
  await under.start();
  expect(under.source.current()).toEqual({ servers: [] });
  expect(existsSync(under.tmux.socket('a'))).toBe(true);
});

test('a new server on an old socket is another server, though its ids are the same', async () => {
  await using under = new SourceUnderTest();
  const first = under.tmux.session('a', 'one');
  await under.start();
  await under.until(() => under.names() === 'one');
  const before = under.server()!;
  process.kill(first, 'SIGKILL');
  const second = await under.until(() => under.tmux.session('a', 'one'));
  await under.until(() => under.server()?.pid === second && under.names() === 'one');
  const after = under.server()!;
  expect(after.sessions[0]?.id).toBe(before.sessions[0]?.id);
  expect(after.startTicks).toBeGreaterThanOrEqual(before.startTicks!);
  expect(under.source.current().servers).toHaveLength(1);
});

test('a stopped server has the problem timeout, keeps its rows, delays nobody, and comes back by itself', async () => {
  await using under = new SourceUnderTest();
  const pid = under.tmux.session('a', 'one');
  under.tmux.session('b', 'two');
  await under.follow();
  const clients = under.controlClients();
  process.kill(pid, 'SIGSTOP');
  const startMs = performance.now();
  await under.until(() => under.server('a')?.problem?.code === 'timeout');
  console.info(`a stopped server was noticed after ${Math.round(performance.now() - startMs)} ms`);
  expect(under.names('a')).toBe('one');
  under.tmux.session('b', 'three');
  await under.until(() => under.names('b') === 'three two');
  expect(under.server('b')?.problem).toBeNull();
  process.kill(pid, 'SIGCONT');
  await under.until(() => under.server('a')?.problem === null);
  under.tmux.session('a', 'four');
  await under.until(() => under.names('a') === 'four one');
  expect(under.controlClients()).toEqual(clients);
});

test('a server that is stopped at the first look delays neither the start nor its end', async () => {
  await using under = new SourceUnderTest({ answerMs: 300 });
  const pid = under.tmux.session('a', 'one');
  under.tmux.session('b', 'two');
  process.kill(pid, 'SIGSTOP');
  await under.start();
  await under.until(() => under.server('a')?.problem?.code === 'timeout' && under.names('b') === 'two');
  expect(under.server('a')).toMatchObject({ pid, sessions: [] });
  process.kill(pid, 'SIGCONT');
  await under.until(() => under.names('a') === 'one' && under.server('a')?.problem === null);
  process.kill(pid, 'SIGSTOP');
  await under.stop();
});

test('a socket that is open to others is not connected to, and is used again once it is closed', async () => {
  await using under = new SourceUnderTest({ pollMs: 50 });
  under.tmux.session('a', 'one');
  chmodSync(under.tmux.folder, 0o755);
  await under.start();
  expect(under.server()).toMatchObject({ problem: { code: 'unsafe_socket' }, sessions: [] });
  expect(under.server()?.problem?.words).toContain(under.tmux.socket('a'));
  chmodSync(under.tmux.folder, 0o700);
  expect(under.controlClients()).toEqual([]);
  await under.until(() => under.names() === 'one' && under.server()?.problem === null);
});

test('a symlink in the folder is not followed to a server elsewhere', async () => {
  await using other = new SourceUnderTest();
  await using under = new SourceUnderTest();
  other.tmux.session('real', 'one');
  under.tmux.session('a', 'two');
  symlinkSync(other.tmux.socket('real'), under.tmux.socket('link'));
  await under.start();
  await under.until(() => under.names() === 'two');
  expect(under.source.current().servers.map(({ socket }) => socket)).toEqual([under.tmux.socket('a')]);
});

test('a server whose socket file was removed is followed on, or named with the way to mend it', async () => {
  await using under = new SourceUnderTest({ rescanMs: 100, pollMs: 100 });
  const pid = under.tmux.session('a', 'one');
  await under.start();
  unlinkSync(under.tmux.socket('a'));
  await using later = new SourceUnderTest({ tmuxTmpdir: under.tmux.tmpdir, rescanMs: 100, pollMs: 100 });
  await later.start();
  const [server] = later.source.current().servers;
  expect(server).toMatchObject({ pid, problem: { code: 'refused', words: expect.stringContaining('kill -USR1') } });
  process.kill(pid, 'SIGUSR1');
  await later.until(() => later.source.current().servers[0]?.sessions[0]?.name === 'one');
  under.tmux.session('a', 'two');
  await under.until(() => under.names() === 'one two');
  expect(under.server()?.problem).toBeNull();
});

test('a tmux that is not installed is a problem of each server, not an empty machine', async () => {
  await using under = new SourceUnderTest({ tmuxPath: '/nonexistent/tmux' });
  under.tmux.session('a', 'one');
  await under.start();
  expect(under.server()?.problem).toMatchObject({ code: 'failed', words: expect.stringContaining('ENOENT') });
});
