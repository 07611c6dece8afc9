/** A new conversation for one agent: by its runtime's own command where that is proven, else by a restart that says why. */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { ControlAgentRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRun } from '../command/order-run.ts';
import type { ResetTry } from '../command/type-reset.ts';
import { settled } from './begun.ts';
import type { LifecyclePorts } from './ports.ts';

const NOT_RUNNING: ResetTry = { isProven: false, isTyped: false, why: 'it did not run' };

/** By the runtime’s own command where that is proven, else by `restart`. Throws OrderEnd `busy` while somebody has taken it over. */
export const resetAgent = async (
  ports: LifecyclePorts,
  row: AgentRow,
  { force }: Pick<ControlAgentRequest, 'force'>,
  run: OrderRun,
  restart: () => Promise<OrderEnd>,
): Promise<OrderEnd> => {
  if (row.writer !== null && !force) throw new OrderEnd('busy', `${row.writer} has taken it over`);
  const tried = row.tmux === null ? NOT_RUNNING : await ports.reset(row.key, force, run);
  if (tried.isProven) return new OrderEnd('done', `by ${tried.command}`);
  const why = tried.isTyped ? `reset command not proven (${tried.why})` : tried.why;
  const end = await settled(restart);
  const did = row.tmux === null ? 'started' : 'restarted';
  if (end.outcome === 'done') return new OrderEnd('done', [`${why}: ${did}`, end.reason].filter(isSaid).join('; '));
  // What stays as it is may have taken the command all the same.
  const isUntouched = ['refused', 'busy', 'gone'].includes(end.outcome);
  const outcome = isUntouched && tried.isTyped ? 'unverifiable' : end.outcome;
  return new OrderEnd(outcome, `${why}, and ${isUntouched ? 'no restart' : 'then'}: ${end.reason}`);
};

const isSaid = (words: string): boolean => words !== '';
