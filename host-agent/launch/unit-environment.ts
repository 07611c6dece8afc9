/** The environment that a unit of this user starts with: a person's shell has a longer PATH, and would promise too much. */
import { userInfo } from 'node:os';
import { exec } from '../../src/runtime/exec.ts';

const ANSWER_MS = 5_000;

/** `own` where that is a unit's already, or where no user manager can be asked. */
export const unitEnvironment = async (own: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> => {
  if (own.INVOCATION_ID !== undefined) return own;
  const { exitCode, stdout } = await exec('systemctl', ['--user', 'show-environment'], {
    timeoutMs: ANSWER_MS,
    cleanEnv: true,
    env: { PATH: own.PATH ?? '/usr/bin:/bin', XDG_RUNTIME_DIR: `/run/user/${userInfo().uid}`, LC_ALL: 'C' },
  });
  if (exitCode !== 0) return own;
  const path = /^PATH=(.+)$/m.exec(stdout)?.[1];
  return path === undefined ? own : { ...own, PATH: path };
};
