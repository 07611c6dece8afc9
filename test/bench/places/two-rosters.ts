/** Two played machines in one cell, each with its part of one roster in force, and that roster in a file on W-jarvis. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { takeSnapshot } from '../../../src/cli/client/snapshot.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { until } from '../../helpers/until.ts';
import type { Bench } from '../harness/bench.ts';
import type { Machine } from '../harness/machine.ts';

export const AGENTS = 500;

export interface TwoRosters extends AsyncDisposable {
  jarvis: Machine;
  /** Path of the roster of both. */
  file: string;
}

export const twoRosters = async (bench: Bench): Promise<TwoRosters> => {
  await using stack = new AsyncDisposableStack();
  const jarvis = stack.use(bench.machine('W-jarvis'));
  const dragon = stack.use(bench.machine('dragon-lin'));
  const machines = [jarvis, dragon];
  await jarvis.start('controller');
  const { username } = userInfo();
  for (const machine of machines) {
    writeRoster(machine, 'roster.yaml', entries([machine]));
    // Without a server nobody could say that a session is not there.
    await machine.tmux('new-session', '-d', '-s', '_holder', 'sleep 100000');
    await machine.start('host-agent');
    await machine.join(await jarvis.token(machine.name, username));
  }
  const file = writeRoster(jarvis, 'fleet.yaml', entries(machines));
  const options = { localOnly: false, hostsOnly: false, clock: systemClock };
  await until(
    async () => {
      const view = await takeSnapshot(jarvis.paths, options);
      return [...view.hostAgentIds()].reduce((sum, id) => sum + view.rowCountOf(id), 0) === AGENTS;
    },
    { timeoutMs: 30_000 },
  );
  const all = stack.move();
  return { jarvis, file, [Symbol.asyncDispose]: () => all.disposeAsync() };
};

const writeRoster = (machine: Machine, name: string, agents: string[]): string => {
  const path = join(machine.paths.mosaicHome, 'fleet', name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `version: 2\nagents:\n${agents.join('')}`);
  return path;
};

/** Workers that have ended are as their roster has them, so that a diff of hundreds needs no hundreds of panes. */
const entries = (machines: readonly Machine[]): string[] =>
  machines.flatMap(({ name }) =>
    Array.from(
      { length: AGENTS / 2 },
      (_, index) => `
  - name: worker-${index}
    host: ${name}
    runtime: pi
    class: worker
    lifecycle: ephemeral
    model_hint: openai-codex/gpt-5.5:high
    working_directory: ~/src/project-${index}
    env: { PORT: ${8_000 + index} }
`,
    ),
  );
