/** A left-over viewer session is ended by its exact id on a real tmux server, and nothing else with it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeChange } from '../../../src/cli/doctor/make-change.ts';
import type { Change } from '../../../src/cli/doctor/plan-changes.ts';
import { resolvePaths } from '../../../src/runtime/paths.ts';
import { PrivateTmux } from '../../helpers/tmux-server.ts';

let tmux: PrivateTmux;
let serverPid: number;
beforeEach(() => {
  tmux = new PrivateTmux();
  serverPid = tmux.session('s', 'coder');
  tmux.run('s', 'new-session', '-d', '-t', '=coder', '-s', 'coder-watch-9');
});
afterEach(() => tmux.close());

const idOf = (session: string): string => tmux.run('s', 'display-message', '-p', '-t', `=${session}:`, '#{session_id}');
const sessions = (): string[] => tmux.run('s', 'list-sessions', '-F', '#{session_name}').split('\n');
const panePid = (): string => tmux.run('s', 'display-message', '-p', '-t', '=coder:', '#{pane_pid}');

const end = (over: Partial<NonNullable<Change['session']>> = {}) => {
  const session = {
    socket: tmux.socket('s'),
    serverPid,
    sessionId: over.sessionId ?? idOf('coder-watch-9'),
    name: 'coder-watch-9',
    ...over,
  };
  const change: Change = { check: 'ORPHAN-VIEWER', kind: 'end-session', target: '', command: '', session };
  return makeChange(change, { ...resolvePaths({ env: {} }), tmuxTmpdir: tmux.tmpdir });
};

test('it is gone, the agent beside it is the same; again there is nothing to end', async () => {
  const [pid, sessionId] = [panePid(), idOf('coder-watch-9')];
  expect(await end()).toEqual({ outcome: 'done', reason: null });
  expect(sessions()).toEqual(['coder']);
  expect(panePid()).toBe(pid);
  expect(await end({ sessionId })).toEqual({ outcome: 'unchanged', reason: 'it is gone already' });
});

test('an id of another life of the server, or one that means another session now, ends nothing', async () => {
  expect(await end({ serverPid: serverPid + 1 })).toMatchObject({ outcome: 'unchanged' });
  expect(await end({ sessionId: idOf('coder') })).toMatchObject({
    outcome: 'failed',
    reason: expect.stringMatching(/another name/),
  });
  expect(sessions()).toEqual(['coder', 'coder-watch-9']);
});

test('the last session that shows its windows is not ended: they would end with it', async () => {
  const sessionId = idOf('coder-watch-9');
  tmux.run('s', 'kill-session', '-t', '=coder');
  expect(await end({ sessionId })).toMatchObject({
    outcome: 'failed',
    reason: expect.stringMatching(/nothing else shows/),
  });
  expect(sessions()).toEqual(['coder-watch-9']);
});

test('one with several windows is left to a hand', async () => {
  tmux.run('s', 'new-window', '-d', '-t', '=coder:', 'sleep 1000');
  expect(await end()).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(/several windows/) });
  expect(sessions()).toEqual(['coder', 'coder-watch-9']);
});

test('without a server it is gone', async () => {
  const sessionId = idOf('coder-watch-9');
  tmux.run('s', 'kill-server');
  expect(await end({ sessionId })).toMatchObject({ outcome: 'unchanged' });
});
