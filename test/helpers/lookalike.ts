/**
 * Look-alikes of real agents in real panes. Comes in: a runtime and how it begins. Goes out: the command for a pane, of a
 * process that the process table shows as that runtime: a copy of python3 under the program's name, which runs the script.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

const SCRIPT = join(import.meta.dirname, '../fixtures/lookalike-agents/lookalike.py');

export interface LookalikeOptions {
  start?: 'composer' | 'trust' | 'login' | 'approval' | 'question';
  workSeconds?: number;
  /** Gets a JSON line for each message that was submitted and each choice that was taken. */
  log?: string;
}

/** `folder` gets the program; it is removed with it. */
export const lookalike = (
  folder: string,
  runtime: 'claude' | 'codex' | 'pi',
  { start = 'composer', workSeconds = 1, log }: LookalikeOptions = {},
): string => {
  const program = join(folder, runtime);
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    copyFileSync(realpathSync('/usr/bin/python3'), program);
  }
  const words = [program, SCRIPT, runtime, '--start', start, '--work-seconds', String(workSeconds)];
  return [...words, ...(log ? ['--log', log] : [])].map((word) => `'${word}'`).join(' ');
};

/** What was submitted to it and chosen from it, in order. */
export const lookalikeLog = (path: string): Record<string, unknown>[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    : [];
