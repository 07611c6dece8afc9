import { expect, test } from 'vitest';
import { InventoryPanes } from '../../../../host-agent/inventory/agent-panes.ts';
import { tailTerminal } from '../../../../host-agent/terminal/tail-call.ts';
import type { AgentRow } from '../../../../src/domain/agent-row.ts';
import { agentRow } from '../../../helpers/agent-row.ts';

const unasked = (): never => {
  throw new Error('nothing may be asked');
};

test('a pane of which no program is known is a precondition, and tmux is not asked', async () => {
  const tmux = { socket: '/s', session: 'coder', sessionId: '$0', paneId: '%0', pid: null } as AgentRow['tmux'];
  const rows = [agentRow({ key: 'coder', agent: 'coder', tmux })];
  const panes = new InventoryPanes({ rows, onLook: () => ({ [Symbol.dispose]: () => undefined }) });
  const tail = tailTerminal({
    panes,
    feeds: { watch: unasked } as never,
    questions: { at: unasked } as never,
    records: unasked,
  });
  const call = tail({ hostAgent: 'h/u', key: 'coder', lines: 10, follow: false, lastRun: 0 }, unasked as never, {
    origin: { actor: 'local:ada', name: 'ada', kind: 'local', role: 'operator', federated: false },
    audience: { watchers: [], onChange: () => ({ [Symbol.dispose]: () => undefined }) },
    signal: new AbortController().signal,
  });
  await expect(call).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('coder has a pane, but no program in it'),
  });
});
