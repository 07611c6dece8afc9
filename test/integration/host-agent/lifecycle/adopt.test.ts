import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SessionEnd } from '../../../../host-agent/tmux/session-end.ts';
import { until } from '../../../helpers/until.ts';
import { LifecycleGround } from './lifecycle-ground.ts';

const SOON = { timeoutMs: 30_000 };
let ground: LifecycleGround;
/** Of the session `notes`. */
let key: string;
beforeEach(async () => {
  ground = new LifecycleGround();
  await ground.start();
  ground.begin('notes', 'exec sleep 987');
  ground.begin('other');
  key = ground.keyOf('notes');
});
afterEach(() => ground[Symbol.asyncDispose]());

const tell = (action: string, over: Parameters<LifecycleGround['tell']>[3] = {}) =>
  ground.tell(ground.orders(), action, 'notes', { key, adopt: true, ...over });

test.each(['start', 'stop', 'restart', 'reset'])(
  '%s of a session in no roster is refused without adopt',
  async (verb) => {
    const pid = ground.panePid('notes');
    expect(await tell(verb, { adopt: false })).toMatchObject({
      outcome: 'refused',
      reason: expect.stringMatching(/in no roster of this host: --adopt/),
    });
    expect(ground.panePid('notes')).toBe(pid);
  },
);

test('stop ends exactly that session, and systemd is not asked', async () => {
  const other = ground.panePid('other');
  expect(await tell('stop')).toMatchObject({ outcome: 'done', reason: '' });
  expect(ground.sessions().sort()).toEqual(['_holder', 'other']);
  expect([ground.panePid('other'), ground.jobs()]).toEqual([other, []]);
  expect(await tell('stop', { id: 'again' })).toMatchObject({ outcome: 'gone' });
});

test('a session of the same name that came after it is another one', async () => {
  ground.run('kill-session', '-t', '=notes');
  ground.begin('notes');
  expect(await tell('stop')).toMatchObject({ outcome: 'gone' });
  expect(ground.sessions()).toContain('notes');
});

test('start of one that runs changes nothing', async () => {
  const pid = ground.panePid('notes');
  expect(await tell('start')).toMatchObject({ outcome: 'done', reason: 'it ran already' });
  expect(ground.panePid('notes')).toBe(pid);
});

test('restart begins its own pane anew with what it was started with, and no other pane', async () => {
  ground.run('split-window', '-d', '-t', '=notes:', 'exec sleep 111');
  const panes = () =>
    ground.run('list-panes', '-s', '-t', '=notes', '-F', '#{pane_id} #{pane_pid} #{pane_start_command}').split('\n');
  const [own, split] = panes();
  // The row knows which one is its own.
  const [id, pid] = (own as string).split(' ') as [string, string];
  expect(await tell('restart')).toMatchObject({ outcome: 'done', reason: '' });
  const [after, splitAfter] = panes() as [string, string];
  expect(splitAfter).toBe(split);
  expect(after).toMatch(new RegExp(`^${id} \\d+ .*sleep 987`));
  expect(after.split(' ')[1]).not.toBe(pid);
  expect(ground.keyOf('notes')).toBe(key);
});

test('a dead pane is begun anew by a start; what ends at once again is told', async () => {
  ground.run('set-option', '-t', '=notes:', 'remain-on-exit', 'on');
  const go = join(ground.folder, 'go');
  ground.run('respawn-pane', '-k', '-t', '=notes:', `test -e ${go} || exit 3; exec sleep 986`);
  const isDead = () => ground.run('display-message', '-p', '-t', '=notes:', '#{pane_dead}') === '1';
  await until(isDead, SOON);
  const ended = await tell('start');
  expect(ended).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('exited with status 3') });
  await until(isDead, SOON);
  writeFileSync(go, '');
  expect(await tell('start')).toMatchObject({ outcome: 'done', reason: '' });
  expect(isDead()).toBe(false);
});

test('sessions of its group show the same screen: they are named, and end only when forced', async () => {
  ground.run('new-session', '-d', '-t', 'grp', '-s', 'grp-1');
  ground.run('new-session', '-d', '-t', 'grp', '-s', 'grp-2');
  key = ground.keyOf('grp-1');
  const refused = await tell('stop');
  expect(refused).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/^1 other session \(grp-2\)/) });
  expect(ground.sessions()).toContain('grp-1');
  expect(await tell('stop', { force: true })).toMatchObject({ outcome: 'done' });
  expect(ground.sessions().sort()).toEqual(['_holder', 'notes', 'other']);
});

test('a host-agent that ends in between: the next one asks tmux whether the session is gone', async () => {
  const first = ground.orders();
  const deaf = `trap '' HUP; while :; do sleep 1; done`;
  ground.run('respawn-pane', '-k', '-t', '=notes:', `exec sh -c "${deaf}"`);
  const pid = ground.panePid('notes');
  const told = ground.tell(first, 'stop', 'notes', { id: 'cut', key, adopt: true });
  await until(() => !ground.sessions().includes('notes'), SOON);
  await first.stopped();
  process.kill(pid, 'SIGKILL');
  expect(await told).toMatchObject({ outcome: 'pending' });
  expect(await tell('stop', { id: 'cut' })).toMatchObject({
    outcome: 'done',
    reason: 'the host-agent ended meanwhile',
  });
});

test('a pane is only begun anew in the life of it that was seen', async () => {
  const sessions = new SessionEnd({ tmuxPath: 'tmux', uid: process.getuid!() });
  const { signal } = new AbortController();
  const panePid = ground.panePid('notes');
  const paneId = ground.run('display-message', '-p', '-t', '=notes:', '#{pane_id}');
  const sessionId = ground.run('display-message', '-p', '-t', '=notes:', '#{session_id}');
  const place = { socket: ground.tmux.socket('fleet'), serverPid: ground.serverPid(), sessionId, paneId, panePid };
  const otherId = ground.run('display-message', '-p', '-t', '=other:', '#{session_id}');
  for (const wrong of [{ serverPid: place.serverPid + 1 }, { panePid: panePid + 1 }, { sessionId: otherId }]) {
    await sessions.respawn({ ...place, ...wrong }, signal);
    expect(await sessions.panePid(place, signal)).toBe(panePid);
  }
  expect(await sessions.panePid({ ...place, sessionId: otherId }, signal)).toBeNull();
  await sessions.respawn(place, signal);
  expect(await sessions.panePid(place, signal)).not.toBe(panePid);
});
