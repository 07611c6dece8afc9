/** What an agent can be waited for to be, judged on its row alone. Pure. */
import type { AgentRow } from './agent-row.ts';

/**
 * up: its session is there and its pane lives. blocked: it waits for a person. gone: it has no session any more.
 * The others are the readiness of that name.
 */
export const WAIT_CONDITIONS = ['up', 'working', 'available', 'blocked', 'stuck', 'stale', 'dead', 'gone'] as const;
export type WaitCondition = (typeof WAIT_CONDITIONS)[number];

/** Of a row that is there; an agent whose row has left, on a host that is heard, is gone. */
export const meets = (condition: WaitCondition, row: AgentRow): boolean => {
  switch (condition) {
    case 'up':
      return row.tmux !== null && row.tmux.dead !== true && row.readiness !== 'dead';
    case 'blocked':
      return row.readiness === 'stuck' && row.attention !== null;
    case 'gone':
      return row.flags.includes('MISSING');
    default:
      return row.readiness === condition;
  }
};
