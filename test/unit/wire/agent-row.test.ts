import { expect, test } from 'vitest';
import type { TmuxFacts } from '../../../src/domain/agent-row.ts';
import { decodeAgentRow, encodeAgentRow, MAX_ROW_BYTES } from '../../../src/wire/agent-row.ts';
import { agentRow, tmuxFacts } from '../../helpers/agent-row.ts';

const tmux = (over: Partial<TmuxFacts>): TmuxFacts => tmuxFacts({ command: 'node', title: 'title', cwd: '/', ...over });

test('a title of any length leaves a row that every reader accepts', () => {
  const row = decodeAgentRow(encodeAgentRow(agentRow({ key: 'k', tmux: tmux({ title: '𝕏'.repeat(100_000) }) })));
  expect(row.tmux?.title).toHaveLength(512);
  expect(row.tmux?.title?.isWellFormed()).toBe(true);
});

test('a session with a long name in a group of thousands is still a row with its own key', () => {
  const groupMembers = Array.from({ length: 5_000 }, (_, n) => `${'member'.repeat(20)}${n}`);
  const long = agentRow({
    key: 'k',
    agent: 'n'.repeat(50_000),
    tmux: tmux({ session: 'n'.repeat(50_000), groupMembers }),
  });
  const bytes = encodeAgentRow(long);
  expect(bytes.length).toBeLessThanOrEqual(MAX_ROW_BYTES);
  expect(decodeAgentRow(bytes).key).toBe('k');
});

test.each([-1, 1.5, 2 ** 32, Number.NaN])('a pid of %d is unknown, and nothing is thrown', (pid) => {
  const heartbeat = { state: 'healthy', tsMs: 1, status: null, pid, source: 'sidecar' } as const;
  const row = agentRow({ key: 'k', heartbeat, tmux: tmux({ attached: pid, exitStatus: pid === -1 ? 1.5 : pid }) });
  const read = decodeAgentRow(encodeAgentRow(row));
  expect(read).toMatchObject({ heartbeat: { pid: null }, tmux: { attached: null, exitStatus: null } });
});
