import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../helpers/until.ts';
import { ServedScreens } from './served-screens.ts';

const SLOW = { timeoutMs: 30_000 };
let served: ServedScreens;

beforeEach(() => {
  served = new ServedScreens();
});

afterEach(() => {
  served.dispose();
});

const isClean = (): boolean =>
  served.modes() === '0 1 1' && / echo\b/.test(served.settings()) && / icanon\b/.test(served.settings());
const childOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);

describe('the terminal is given back', () => {
  const watching = async (...env: string[]): Promise<void> => {
    served.screen('coder').draw(['what it shows']);
    await served.start('coder');
    served.terminal(80, 12, undefined, ...env);
    await until(() => served.shown().includes('$'), SLOW);
    served.type(`${served.command('watch', 'coder')}; echo "left with $?"`);
    await until(() => served.shown().includes('what it shows'), SLOW);
    expect(served.modes()).toBe('1 1 0');
    expect(served.settings()).toMatch(/ -echo\b/);
  };

  test.each([
    ['q', 0],
    ['C-c', 0],
  ])('on %s', async (key, code) => {
    await watching();
    served.press(key);
    await until(() => served.shown().includes(`left with ${code}`), SLOW);
    expect(served.shown()).not.toContain('what it shows');
    await until(() => served.modes() === '0 1 1', SLOW);
    await served.echoes();
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 0],
  ] as const)('on %s', async (signal, code) => {
    await watching();
    process.kill(served.frontPid(), signal);
    await until(() => served.shown().includes(`left with ${code}`), SLOW);
    await until(() => served.modes() === '0 1 1', SLOW);
    await served.echoes();
  });

  test('when the session ends, and why is said', async () => {
    await watching();
    served.screen('coder').end({ lastExit: { status: 3 } });
    await until(() => served.shown().includes('left with 0'), SLOW);
    expect(served.shown()).toContain('home/W-jarvis/jarvis/coder: the session ended (exit 3)');
    await until(() => served.modes() === '0 1 1', SLOW);
    await served.echoes();
  });

  test('when the program crashes', async () => {
    const crash = join(served.view.home, 'crash.mjs');
    writeFileSync(crash, "process.on('SIGUSR2', () => { throw new Error('on purpose'); });");
    await watching(`NODE_OPTIONS=--import=${crash}`);
    process.kill(served.frontPid(), 'SIGUSR2');
    await until(() => served.shown().includes('left with 1'), SLOW);
    expect(served.shown()).toContain('on purpose');
    await until(() => served.modes() === '0 1 1', SLOW);
    await served.echoes();
  });

  test('when it is killed at once, under a shell', async () => {
    await watching();
    process.kill(served.frontPid(), 'SIGKILL');
    await until(() => served.modes() === '0 1 1', SLOW);
    await served.echoes();
  });

  test('when it is killed at once, and nobody else mends the terminal', async () => {
    served.screen('coder').draw(['what it shows']);
    await served.start('coder');
    served.terminal(80, 12, `sh -c '${served.command('watch', 'coder').replaceAll("'", '"')}; exec sleep 1000'`);
    await until(() => served.shown().includes('what it shows'), SLOW);
    expect(isClean()).toBe(false);
    const pid = served.tmux('list-panes', '-F', '#{pane_pid}').trim();
    process.kill(childOf(Number(pid)), 'SIGKILL');
    await until(isClean, SLOW);
  });

  test('while it is suspended, and drawn again when it goes on', async () => {
    await watching();
    served.press('C-z');
    await until(() => served.shown().includes('Stopped') && served.modes() === '0 1 1', SLOW);
    await served.echoes();
    served.type('fg');
    await until(() => served.shown().startsWith('what it shows') && served.modes() === '1 1 0', SLOW);
  });
});
