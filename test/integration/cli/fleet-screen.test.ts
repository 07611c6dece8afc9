import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentRow } from '../../helpers/agent-row.ts';
import { FLEET_MAIN } from '../../helpers/fleet-program.ts';
import { ServedView } from '../../helpers/served-view.ts';
import { until } from '../../helpers/until.ts';

const SLOW = { timeoutMs: 60_000 };
let served: ServedView;
let folder: string;

beforeEach(async () => {
  served = new ServedView();
  folder = mkdtempSync(join(tmpdir(), 'fleet-tmux-'));
  await served.start();
});

afterEach(() => {
  try {
    tmux('kill-server');
  } catch {
    // It ended by itself with its last session.
  }
  served.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** A real terminal on a server of our own. */
const tmux = (...args: string[]): string =>
  execFileSync('tmux', ['-u', '-S', join(folder, 's'), '-f', '/dev/null', ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });

const startInTerminal = (width: number, height: number, args: string): void => {
  const program = `'${process.execPath}' '${FLEET_MAIN}' --instance ${served.instance} ${args}; echo "left with $?"; exec sleep 1000`;
  tmux(
    'new-session',
    '-d',
    '-s',
    't',
    '-x',
    `${width}`,
    '-y',
    `${height}`,
    '-e',
    `HOME=${served.home}`,
    `echo before; ${program}`,
  );
};

const screen = (): string => tmux('capture-pane', '-p', '-t', '=t:');
const isAlternate = (): string => tmux('display-message', '-p', '-t', '=t:', '#{alternate_on} #{cursor_flag}').trim();

const canary = agentRow({ runtimeSeen: 'stub', flags: ['DRIFT'] });

test('a terminal is redrawn in place, and given back as it was', async () => {
  served.put({ here: true }, canary);
  startInTerminal(100, 12, 'ps -w');
  await until(() => screen().includes('stub (not pi)   working'), SLOW);
  expect(isAlternate()).toBe('1 0');
  served.put({ here: true }, { ...canary, readiness: 'dead', reason: 'exit 1' });
  await until(() => screen().includes('  x canary-pi  stub (not pi)   dead: exit 1'), SLOW);
  expect(screen()).not.toContain('working');

  tmux('send-keys', '-t', '=t:', 'q');
  await until(() => screen().includes('left with 0'), SLOW);
  expect(isAlternate()).toBe('0 1');
  expect(screen()).toMatch(/^before\nleft with 0\n/);
});

test('a line as wide as the terminal is whole to its last cell', async () => {
  served.put({ here: true }, agentRow({ agent: 'a'.repeat(90), flags: ['LINGER-OFF', 'UNMANAGED'] }));
  startInTerminal(70, 12, 'ps -w');
  await until(() => screen().includes('FLAGS'), SLOW);
  expect(screen()).toMatch(/^.{50}LINGER-OFF UNMANAGED$/m);
  tmux('resize-window', '-t', '=t:', '-x', '40');
  await until(() => screen().includes('\n1 agent, 1 current · cell home, as jarv…\n'), SLOW);
  expect(screen()).toMatch(/ LINGER-OFF UNMANAGED$/m);
});

test('what does not fit is counted, and found by scrolling; the header stays', async () => {
  const agents = Array.from({ length: 30 }, (_, n) => agentRow({ key: `${n}`, agent: `agent-${n}`, order: n }));
  served.put({ here: true }, ...agents);
  startInTerminal(80, 10, 'ps -w');
  await until(() => screen().includes('23 more lines: arrows scroll'), SLOW);
  expect(screen()).not.toContain('agent-29');
  tmux('send-keys', '-t', '=t:', 'G');
  await until(() => screen().includes('agent-29'), SLOW);
  expect(screen()).toMatch(/^ {4}AGENT/);
  tmux('resize-window', '-t', '=t:', '-y', '40');
  await until(() => screen().includes('agent-0 ') && screen().includes('agent-29'), SLOW);
});

test('a host-agent that goes away is named at once, its rows stay, and it is found again', async () => {
  served.put({ here: true }, canary);
  startInTerminal(100, 12, 'ps -w');
  await until(() => screen().includes('canary-pi'), SLOW);
  served.stop();
  await until(() => screen().startsWith('NOT CURRENT: the host-agent of this machine is silent'), SLOW);
  expect(screen()).toContain('canary-pi');
  await served.start();
  served.put({ here: true }, { ...canary, agent: 'reborn' });
  await until(() => screen().includes('reborn') && !screen().includes('NOT CURRENT'), SLOW);
});

test('a signal leaves the terminal clean, too', async () => {
  served.put({ here: true }, canary);
  startInTerminal(100, 12, 'hosts -w');
  await until(() => screen().includes('W-jarvis *'), SLOW);
  tmux('send-keys', '-t', '=t:', 'C-c');
  await until(() => screen().includes('left with 0'), SLOW);
  expect(isAlternate()).toBe('0 1');
});

test('suspended and continued, it draws again', async () => {
  served.put({ here: true }, canary);
  tmux(
    'new-session',
    '-d',
    '-s',
    't',
    '-x',
    '100',
    '-y',
    '12',
    '-e',
    `HOME=${served.home}`,
    'HISTFILE= exec bash --norc -i',
  );
  tmux('send-keys', '-t', '=t:', '-l', `'${process.execPath}' '${FLEET_MAIN}' --instance ${served.instance} ps -w`);
  tmux('send-keys', '-t', '=t:', 'Enter');
  await until(() => screen().includes('canary-pi'), SLOW);
  tmux('send-keys', '-t', '=t:', 'C-z');
  await until(() => screen().includes('Stopped'), SLOW);
  expect(isAlternate()).toBe('0 1');
  tmux('send-keys', '-t', '=t:', '-l', 'fg');
  tmux('send-keys', '-t', '=t:', 'Enter');
  await until(() => isAlternate() === '1 0' && screen().includes('canary-pi'), SLOW);
});
