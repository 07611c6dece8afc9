import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { until } from '../../helpers/until.ts';
import { ServedScreens } from './served-screens.ts';

const SLOW = { timeoutMs: 60_000 };
const MAIN = join(import.meta.dirname, '../../../host-agent/main.ts');
const stops: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Cells and their looks as tmux holds them. */
const cellsOf = (text: string, height: number): string[] => text.split('\n').slice(0, height);

test('the cells of a program in a real pane are those that the viewer shows, through the shipped host-agent', async () => {
  const served = new ServedScreens();
  stops.push(() => served.dispose());
  const { tmuxTmpdir } = served.view.paths;
  mkdirSync(tmuxTmpdir, { recursive: true, mode: 0o700 });
  const agents = (...args: string[]): string =>
    execFileSync('tmux', ['-u', '-f', '/dev/null', '-L', 'agents', ...args], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, TMUX_TMPDIR: tmuxTmpdir, TERM: 'xterm-256color', LANG: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 10_000,
    });
  stops.push(() => {
    try {
      agents('kill-server');
    } catch {
      // It ended with its only session.
    }
  });
  const text = join(served.view.home, 'text.txt');
  writeFileSync(
    text,
    `${Array.from({ length: 200 }, (_, n) => `\x1b[3${n % 8}mline ${n}\x1b[0m 世界 é ${'─'.repeat(n % 30)} │`).join('\n')}\n`,
  );
  agents('new-session', '-d', '-s', 'coder', '-x', '100', '-y', '30', `less -R '${text}'`);
  const env = { PATH: process.env.PATH ?? '', HOME: served.view.home };
  const host = spawn(process.execPath, [MAIN, '--instance', served.view.instance, '--name', 'W-jarvis'], {
    env,
    stdio: 'ignore',
  });
  stops.push(async () => {
    const ended = new Promise((resolve) => host.once('exit', resolve));
    host.kill('SIGKILL');
    await ended;
  });
  served.terminal(120, 40);
  await until(() => served.shown().includes('$'), SLOW);
  served.type(`until ${served.command('watch', 'coder')} 2>/dev/null; do sleep 0.2; done`);
  const pane = (): string => agents('capture-pane', '-p', '-t', '=coder:');
  const isSame = (): boolean => {
    const height = 30;
    const theirs = cellsOf(pane(), height);
    const ours = cellsOf(served.shown(), height);
    return theirs.some((line) => line.includes('line')) && theirs.every((line, y) => line === (ours[y] ?? ''));
  };
  await until(isSame, SLOW);
  agents('send-keys', '-t', '=coder:', '40g');
  await until(() => pane().includes('line 60') && isSame(), SLOW);
  agents('send-keys', '-t', '=coder:', 'q');
  await until(() => served.shown().includes('$') && served.modes() === '0 1 1', SLOW);
  expect(served.modes()).toBe('0 1 1');
});
