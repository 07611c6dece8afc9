/** Whether a terminal collects lines (its kernel edits and bounds them), asked of `stty`: Node has no tcgetattr. */
import { exec } from '../../src/runtime/exec.ts';

const DEADLINE_MS = 2_000;
const TTY = /^\/dev\/(pts\/\d+|tty\w+)$/;

/** null: it cannot be told. */
export const isLineMode = async (tty: string, signal: AbortSignal): Promise<boolean | null> => {
  if (!TTY.test(tty)) return null;
  const { stdout, exitCode } = await exec('stty', ['-a', '-F', tty], {
    timeoutMs: DEADLINE_MS,
    signal,
    cleanEnv: true,
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' },
  });
  if (exitCode !== 0) return null;
  const [, off] = /(?:^|\s)(-?)icanon(?:\s|$)/.exec(stdout) ?? [];
  return off === undefined ? null : off === '';
};
