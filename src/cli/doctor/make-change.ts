/** One change of this machine, made and looked at again: what it says of itself is what is so afterwards. */
import { chmod, lstat } from 'node:fs/promises';
import { FleetError } from '../../domain/errors.ts';
import type { SessionTarget } from '../../domain/fix.ts';
import { saysNoServer } from '../../domain/tmux-words.ts';
import { exec } from '../../runtime/exec.ts';
import { ensureLinger } from '../../runtime/linger.ts';
import type { Paths } from '../../runtime/paths.ts';
import { UserManager } from '../install/user-manager.ts';
import type { Change } from './plan-changes.ts';

export interface Made {
  outcome: 'done' | 'unchanged' | 'failed';
  reason: string | null;
}

const DONE: Made = { outcome: 'done', reason: null };
const failed = (reason: string): Made => ({ outcome: 'failed', reason });

/** Never rejects: what went wrong is its outcome. */
export const makeChange = async (change: Change, paths: Paths): Promise<Made> => {
  try {
    return await make(change, paths);
  } catch (error) {
    return failed((error as Error).message);
  }
};

const make = async ({ kind, target, session }: Change, paths: Paths): Promise<Made> => {
  switch (kind) {
    case 'enable-unit':
      return await enableUnit(target);
    case 'reload-units':
      await new UserManager().reload();
      return DONE;
    case 'enable-linger':
      return await enableLinger(target, paths);
    case 'close-path':
      return await closePath(target);
    case 'end-session':
      if (session === null) return failed('it names no session');
      return await endSession(session, paths);
  }
};

/** `enable` never starts it, and is content with a unit that nothing at boot asks for. */
const enableUnit = async (unit: string): Promise<Made> => {
  const manager = new UserManager();
  const stateOf = async () => (await manager.show(unit, ['UnitFileState'])).UnitFileState ?? '';
  if ((await stateOf()) === 'enabled') return { outcome: 'unchanged', reason: 'it was enabled already' };
  await manager.enable(unit);
  const state = await stateOf();
  return state === 'enabled' ? DONE : failed(`it is ${state || 'nowhere'} now: its file says nothing of a boot`);
};

const enableLinger = async (user: string, paths: Paths): Promise<Made> => {
  const linger = await ensureLinger(user, paths);
  if (linger.state === 'on') return { outcome: 'unchanged', reason: 'it was on already' };
  if (linger.state === 'enabled') return DONE;
  return failed(
    linger.state === 'refused'
      ? `this machine refuses it to ${user}: an administrator runs ${linger.command}`
      : 'there is no systemd on this machine',
  );
};

const closePath = async (path: string): Promise<Made> => {
  const stat = await lstat(path);
  if (stat.isSymbolicLink()) return failed('it is a link: close what it leads to');
  await chmod(path, stat.mode & 0o700);
  return DONE;
};

const TMUX_MS = 5_000;

/** The server itself compares its pid: an id is not used again while a server lives. */
const endSession = async (session: SessionTarget, paths: Paths): Promise<Made> => {
  const { serverPid, sessionId, name } = session;
  const seen = await sessionNow(session, paths);
  if (seen === null) return { outcome: 'unchanged', reason: 'it is gone already' };
  if (seen.name !== name) return failed('it has another name now: look again');
  if (seen.attached !== '0') return failed('somebody looks through it now');
  if (seen.groupSize < 2) return failed('nothing else shows its windows any more: they would end with it');
  // tmux before 3.8 can crash when a session is killed in which another window was selected (tmux#5243).
  if (seen.windows !== '1') return failed('it has several windows, which can crash older tmux when it is killed');
  await tmux(session, paths, ['if-shell', '-F', `#{==:#{pid},${serverPid}}`, `kill-session -t '${sessionId}'`]);
  return (await sessionNow(session, paths)) === null ? DONE : failed('tmux did not end it');
};

interface SeenSession {
  name: string;
  windows: string;
  attached: string;
  groupSize: number;
}

const FORMAT =
  '#{pid} #{session_id} #{session_windows} #{session_attached} #{?session_grouped,#{session_group_size},0} #{session_name}';

/** null: it is not there, or its server is another or gone. */
const sessionNow = async (session: SessionTarget, paths: Paths): Promise<SeenSession | null> => {
  const lines = (await tmux(session, paths, ['list-sessions', '-F', FORMAT])).split('\n');
  for (const line of lines) {
    const [pid, id, windows = '', attached = '', groupSize, ...name] = line.split(' ');
    if (pid !== String(session.serverPid) || id !== session.sessionId) continue;
    return { name: name.join(' '), windows, attached, groupSize: Number(groupSize) };
  }
  return null;
};

/** Empty where there is no server. */
const tmux = async ({ socket }: SessionTarget, paths: Paths, words: readonly string[]): Promise<string> => {
  const label = socket.slice(socket.lastIndexOf('/') + 1);
  const env = { TMUX_TMPDIR: paths.tmuxTmpdir, TMUX: '' };
  const result = await exec('tmux', ['-u', '-L', label, ...words], { timeoutMs: TMUX_MS, env });
  if (result.exitCode === 0) return result.stdout;
  if (saysNoServer(result.stderr)) return '';
  throw new FleetError('UNAVAILABLE', `tmux: ${result.stderr.trim().split('\n')[0] || 'no answer in time'}`);
};
