import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FLEET_MAIN } from '../../helpers/fleet-program.ts';
import { PrivateTmux } from '../../helpers/tmux-server.ts';
import { until } from '../../helpers/until.ts';
import { JARVIS, ServedRosters } from './served-rosters.ts';

/** A person at a terminal: a pane of a private tmux server, in which `fleet` is typed and answered. */
const SLOW = { timeoutMs: 60_000 };
let served: ServedRosters;
let desk: PrivateTmux;

beforeEach(async () => {
  served = new ServedRosters();
  desk = new PrivateTmux();
  await served.start();
});
afterEach(() => {
  desk.close();
  served.dispose();
});

const shown = (): string => desk.run('d', 'capture-pane', '-p', '-J', '-S', '-', '-t', '=seat:');
const answer = (text: string): string => desk.run('d', 'send-keys', '-t', '=seat:', text, 'Enter');
const untilShown = async (words: string | RegExp): Promise<void> => {
  await until(() => (typeof words === 'string' ? shown().includes(words) : words.test(shown())) || fail(), SLOW);
};
const fail = (): never => {
  throw new Error(shown());
};

/** Types it, with a program that changes the file in place of an editor; `work` is what the person does then. */
const atTerminal = async (words: readonly string[], editor: string, work: () => Promise<void>): Promise<void> => {
  const { instance, home } = served.orders.view;
  const shell = join(desk.tmpdir, 'seat.sh');
  const line = [process.execPath, FLEET_MAIN, '--instance', instance, ...words].map((word) => `'${word}'`).join(' ');
  writeFileSync(
    shell,
    `export HOME='${home}' TMPDIR='${desk.tmpdir}' EDITOR="${editor}"\nunset VISUAL\n${line}\necho "ended with $?"\nsleep 1000\n`,
  );
  desk.session('d', 'seat', `sh ${shell}`);
  desk.run('d', 'set-option', '-t', '=seat:', 'history-limit', '1000');
  await work();
};

const ROSTER = '# ours\nversion: 2\nagents:\n  - name: a\n    runtime: pi\n    lifecycle: core\n';

describe('edit without flags', () => {
  beforeEach(() => {
    served.own(ROSTER);
    served.row(JARVIS, 'a');
  });

  test('opens the roster, shows what follows from it, and does that after a yes', async () => {
    await atTerminal(['edit', 'a'], `sed -i 's/runtime: pi/runtime: codex/'`, async () => {
      await untilShown('runtime: pi → codex');
      await untilShown('restart 1 agent on 1 host? [y/N]');
      answer('y');
      await untilShown('ended with 0');
    });
    expect(readFileSync(served.ownPath, 'utf8')).toBe(ROSTER.replace('pi', 'codex'));
    expect(served.told).toEqual(['W-jarvis roster', 'W-jarvis deploy a']);
  });

  test('a wrong text is told with its place, and is kept where the person gives up', async () => {
    await atTerminal(['edit', 'a'], `sed -i 's/runtime: pi/runtim: pi/'`, async () => {
      await untilShown(/:5:5: unknown key `runtim`; did you mean `runtime`\?/);
      await untilShown('edit it again? [Y/n]');
      answer('n');
      await untilShown('ended with 2');
    });
    const kept = /what you wrote is kept: (\S+)/.exec(shown())?.[1] ?? '';
    expect(readFileSync(kept, 'utf8')).toContain('runtim: pi');
    expect([served.told, readFileSync(served.ownPath, 'utf8')]).toEqual([[], ROSTER]);
  });

  test('a no changes nothing, and what was written is kept', async () => {
    await atTerminal(['edit', 'a'], `sed -i 's/runtime: pi/runtime: codex/'`, async () => {
      await untilShown('restart 1 agent on 1 host? [y/N]');
      answer('');
      await untilShown('ended with 8');
    });
    expect(shown()).toContain('what you wrote is kept: ');
    expect(served.told).toEqual([]);
  });

  test('an editor that is left as it was opened does nothing', async () => {
    await atTerminal(['edit', 'a'], 'true', () => untilShown('ended with 0'));
    expect(shown()).toContain('nothing was changed');
    expect(served.told).toEqual([]);
  });
});

test('init asks for what no flag says, and an empty answer is what it shows', async () => {
  await atTerminal(['init', '--no-adopt'], 'true', async () => {
    await untilShown('preset (minimal, coding) [minimal]');
    answer('nonsense');
    await untilShown(/\[minimal\] nonsense\s+preset/);
    answer('');
    await untilShown('name of the agent [assistant]');
    answer('helper');
    await untilShown('runtime [pi]');
    answer('');
    await untilShown('model [openai-codex/gpt-5.5:high]');
    answer('');
    await untilShown('folder to work in [~/src]');
    answer('~/work');
    await untilShown('ended with 0');
  });
  expect(readFileSync(served.ownPath, 'utf8')).toContain('  working_directory: ~/work\n');
  expect(readFileSync(served.ownPath, 'utf8')).toContain('  - name: helper\n    runtime: pi\n');
});
