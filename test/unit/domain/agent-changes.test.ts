import { expect, test } from 'vitest';
import { changesBetween, markOf } from '../../../src/domain/agent-changes.ts';
import type { AgentRow, TmuxFacts } from '../../../src/domain/agent-row.ts';
import { agentRow, tmuxFacts } from '../../helpers/agent-row.ts';

const tmux = (over: Partial<TmuxFacts> = {}): TmuxFacts =>
  tmuxFacts({ session: 'coder', title: 'secret title', ...over });
const attention = { id: '3f9a', need: 'approval', sinceMs: 1, rule: 'r', summary: 'secret prompt' };
const row = (over: Partial<AgentRow> = {}) => agentRow({ agent: 'coder', tmux: tmux(), ...over });
const blocked = row({ readiness: 'stuck', reason: 'secret reason', reasonCode: 'approval', attention });
const missing = row({ tmux: null, readiness: 'dead', flags: ['MISSING'] });

/** `kind detail` of what two rows, one after the other, differ in. */
const told = (...rows: (AgentRow | null)[]): string[] => {
  let before = null;
  let changes: ReturnType<typeof changesBetween> = [];
  for (const each of rows) {
    const after: ReturnType<typeof markOf> | null = each && markOf(each, before);
    changes = changesBetween(before, after, each);
    before = after;
  }
  expect(JSON.stringify(changes)).not.toContain('secret');
  return changes.map(({ kind, reason = '', reasonCode = '', promptId = '', actor = '' }) =>
    [kind, reason, reasonCode, promptId, actor].filter((part) => part !== '').join(' '),
  );
};

test.each<[string, (AgentRow | null)[], string[]]>([
  ['a new session is up', [row()], ['up']],
  ['one that a roster names and nobody started is no event', [missing], []],
  ['the same again says nothing', [row(), row({ rssBytes: 5 })], []],
  [
    'a pane that died says how',
    [row(), row({ readiness: 'dead', tmux: tmux({ dead: true, exitStatus: 3 }) })],
    ['down exited 3'],
  ],
  [
    'by a signal',
    [row(), row({ readiness: 'dead', tmux: tmux({ dead: true, signal: 'KILL' }) })],
    ['down killed by KILL'],
  ],
  ['a session that ended under a roster', [row(), missing], ['down session ended']],
  ['an unmanaged one that left', [row(), null], ['down session ended']],
  ['a tmux that cannot be asked ends nothing', [row(), row({ tmux: null, readiness: 'unknown' })], []],
  ['and nothing begins when it can be asked again', [row(), row({ tmux: null, readiness: 'unknown' }), row()], []],
  ['another pane process is another run', [row(), row({ tmux: tmux({ pid: 8 }) })], ['up anew']],
  ['a prompt has its code and id alone', [row(), blocked], ['blocked approval 3f9a']],
  [
    'the next prompt is another event',
    [blocked, row({ ...blocked, attention: { ...attention, id: '77' } })],
    ['blocked approval 77'],
  ],
  ['work again is none', [blocked, row()], []],
  ['available', [row(), row({ readiness: 'available' })], ['waiting']],
  ['drift', [row(), row({ flags: ['DRIFT'], runtimeSeen: 'stub' })], ['drift runs stub, not pi']],
  ['watchers come and go', [row(), row({ watchers: 2 })], ['watch-begin']],
  ['the second of them says nothing', [row({ watchers: 1 }), row({ watchers: 2 })], []],
  ['the last one leaves', [row({ watchers: 2 }), row()], ['watch-end']],
  [
    'a takeover and its hand-over',
    [row({ writer: 'ann' }), row({ writer: 'bob' })],
    ['takeover-end ann', 'takeover-begin bob'],
  ],
])('%s', (_name, rows, events) => {
  expect(told(...rows)).toEqual(events);
});
