/** The `fleet` program as a child process, with nothing of this machine's own fleet in reach. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

export const FLEET_MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** What has come so far. */
  readonly stdout: string;
  readonly stderr: string;
  ended: Promise<Ran>;
}

/** `input` is all that its stdin has; without it stdin is empty. */
export const startFleet = (
  args: readonly string[],
  env: Record<string, string>,
  input?: string | Uint8Array,
): Running => {
  const child = spawn(process.execPath, [FLEET_MAIN, ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  // It may end before it has read everything.
  child.stdin?.on('error', () => {}).end(input);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return {
    child,
    ended,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
  };
};

export const runFleetProgram = (
  args: readonly string[],
  env: Record<string, string>,
  input?: string | Uint8Array,
): Promise<Ran> => startFleet(args, env, input).ended;
