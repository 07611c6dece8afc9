/** Whether an agent whose unit was started really runs: its session, its pane, its row, watched until it holds. */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRun } from '../command/order-run.ts';
import { isUp, unitWords } from './managed-agent.ts';
import type { LifecyclePorts } from './ports.ts';

const POLL_MS = 100;
/** A runtime that is not found, or exits at once, is gone by then. */
const SETTLED_MS = 2_000;
/** From the end of a start that waits for nothing to the row of its session. */
const NO_SESSION_MS = 10_000;
const UNIT_EVERY_MS = 1_000;
/** stuck waits for a person, and runs. */
const RUNNING = ['working', 'available', 'stuck'];

/** `done`, `unverifiable` where it runs but is no good, `failed` with the last words of its unit. */
export const proveStart = async (
  ports: LifecyclePorts,
  key: string,
  unitName: string,
  run: OrderRun,
): Promise<OrderEnd> => {
  const { clock } = ports;
  const beganMono = clock.monotonicMs();
  let seen = null as { pid: number; atMono: number } | null;
  let unitAtMono = beganMono;
  for (;;) {
    const now = clock.monotonicMs();
    const row = ports.rows.row(key);
    const pid = livingPane(ports, row);
    if (pid !== null) {
      if (seen?.pid !== pid) seen = { pid, atMono: now };
      if (now - seen.atMono >= SETTLED_MS && RUNNING.includes(row?.readiness ?? '')) return runningEnd(row as AgentRow);
      if (run.signal.aborted) return new OrderEnd('unverifiable', `its session runs, but it is ${stateWords(row)}`);
    } else {
      const ended = row?.tmux?.dead === true ? deadWords(row) : seen === null ? null : 'its session ended at once';
      const isOver = ended !== null || run.signal.aborted || now - beganMono >= NO_SESSION_MS;
      const isDown = now - unitAtMono >= UNIT_EVERY_MS && !isUp(await ports.units.read(unitName));
      if (now - unitAtMono >= UNIT_EVERY_MS) unitAtMono = now;
      if (isOver || isDown) {
        const words = unitWords(await ports.units.read(unitName));
        return new OrderEnd('failed', `${ended ?? 'no session came of it'}; ${words}`);
      }
    }
    await sleep(POLL_MS, run.signal);
  }
};

/** Pid of its own pane, or of nothing yet; null where none lives. */
export const livingPane = (ports: LifecyclePorts, row: AgentRow | undefined): number | null => {
  const tmux = row?.tmux;
  if (!tmux || tmux.dead === true || tmux.pid === null) return null;
  return ports.startOf(tmux.pid) === null ? null : tmux.pid;
};

/** Of what its screen says only the kind: the end is journalled. */
const runningEnd = ({ readiness, reasonCode }: AgentRow): OrderEnd =>
  new OrderEnd('done', readiness === 'stuck' ? `it runs, and waits for a person (${reasonCode ?? 'other'})` : '');

const stateWords = (row: AgentRow | undefined): string =>
  `${row?.readiness ?? 'unknown'}${row?.reason ? ` (${row.reason})` : ''}`;

const deadWords = ({ tmux }: AgentRow): string => {
  if (tmux?.signal) return `its program was killed by ${tmux.signal}`;
  return `its program ended at once${tmux?.exitStatus == null ? '' : ` with status ${tmux.exitStatus}`}`;
};
