import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sessionOf } from '../../../host-agent/inventory/session-of.ts';
import { procLineage } from '../../../host-agent/process/lineage.ts';
import type { AgentRow } from '../../../src/domain/agent-row.ts';
import { agentRow, tmuxFacts } from '../../helpers/agent-row.ts';
import { PrivateTmux } from '../../helpers/tmux-server.ts';
import { until } from '../../helpers/until.ts';

const SLOW = { timeoutMs: 60_000 };
const UID = process.getuid!();
const tmux = new PrivateTmux();
const at = (file: string): string => join(tmux.tmpdir, file);
const pidIn = async (file: string): Promise<number> => {
  await until(() => existsSync(at(file)) && readFileSync(at(file), 'utf8').endsWith('\n'), SLOW);
  return Number(readFileSync(at(file), 'utf8'));
};
/** The row of a session of this name, as the inventory would make it. */
const rowOf = (session: string, over: Partial<AgentRow> = {}): AgentRow => {
  const [paneId, pid] = tmux
    .run('s', 'display-message', '-p', '-t', `=${session}:`, '#{pane_id} #{pane_pid}')
    .split(' ');
  const facts = tmuxFacts({ socket: tmux.socket('s'), session, paneId: paneId!, pid: Number(pid) });
  return agentRow({ key: session, agent: session, tmux: facts, ...over });
};

let rows: AgentRow[];
const asked = (pid: number, uid = UID): string => sessionOf(pid, uid, rows, procLineage());

beforeAll(() => {
  // Of `maker`, the shell between the pane and the loose process ends after a second.
  tmux.session('s', 'coder', `sh -c "sh -c 'echo \\$\\$ > ${at('child')}; sleep 1000; true'; true"`);
  tmux.session(
    's',
    'maker',
    `sh -c 'setsid sh -c "echo \\$\\$ > ${at('loose')}; sleep 1000; true" & sleep 1'; sleep 1000`,
  );
  tmux.session('s', 'operator', `sh -c 'echo $$ > ${at('reserved')}; sleep 1000; true'`);
  rows = [rowOf('coder'), rowOf('maker'), rowOf('operator')];
});

afterAll(async () => {
  // Cut loose from its pane, it does not end with the server.
  process.kill(-(await pidIn('loose')), 'SIGKILL');
  tmux.close();
});

test('a process anywhere below an agent’s pane asks as that agent', async () => {
  const child = await pidIn('child');
  expect(child).not.toBe(rows[0]?.tmux?.pid);
  expect(asked(child)).toBe('coder');
});

test('a process outside every agent’s pane is a person’s', () => {
  expect(asked(process.pid)).toBe('operator');
});

test('a process that an agent began and cut loose is nobody’s', async () => {
  const loose = await pidIn('loose');
  await until(() => {
    let parent: number | undefined = loose;
    for (let depth = 0; depth < 20 && parent !== undefined && parent > 1; depth += 1) {
      if (parent === rows[1]?.tmux?.pid) return false;
      parent = procLineage().of(parent)?.parentPid;
    }
    return true;
  }, SLOW);
  expect(asked(loose)).toBe('unproven');
});

test('a process that is gone, or another user’s, proves nothing', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  expect(asked(child.pid!)).toBe('unproven');
  expect(asked(process.pid, UID + 1)).toBe('unproven');
});

test('an agent whose session is called operator is not taken for one', async () => {
  expect(asked(await pidIn('reserved'))).toBe('s:operator');
});

test('the pid of a pane that died is no pane', async () => {
  const child = await pidIn('child');
  const [coder, ...others] = rows as [AgentRow, ...AgentRow[]];
  const dead = { ...coder, tmux: { ...coder.tmux!, dead: true, paneId: '%99' } };
  expect(sessionOf(child, UID, [dead, ...others], procLineage())).toBe('operator');
});
