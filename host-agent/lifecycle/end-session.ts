/**
 * The session of an agent whose unit was stopped: gone, with the process of its pane, or killed by its id. Never a session
 * of another agent, and never taken for gone unseen.
 */
import type { TmuxFacts } from '../../src/domain/agent-row.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRun } from '../command/order-run.ts';
import type { LifecyclePorts, SessionPlace } from './ports.ts';

const POLL_MS = 100;
/** So often a session may come back before that is called a fault. */
const ROUNDS = 3;

/** Resolves when the row says so, too. Throws OrderEnd `failed` when it does not end in time. */
export const endSession = async (
  ports: LifecyclePorts,
  key: string,
  before: PaneProcess | null,
  run: OrderRun,
): Promise<void> => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const tmux = ports.rows.row(key)?.tmux;
    if (!tmux) return await processGone(ports, before, run);
    await endOne(ports, tmux, run);
    // The row follows within a look.
    await until(run, () => ports.rows.row(key)?.tmux?.sessionId !== tmux.sessionId || isAnother(ports, key, tmux));
  }
  if (ports.rows.row(key)?.tmux) throw new OrderEnd('failed', 'its session comes back: something else starts it');
};

const isAnother = (ports: LifecyclePorts, key: string, { socket, pid }: TmuxFacts): boolean => {
  const now = ports.rows.row(key)?.tmux;
  return now?.socket !== socket || (now.pid !== null && now.pid !== pid);
};

const endOne = async (ports: LifecyclePorts, tmux: TmuxFacts, run: OrderRun): Promise<void> => {
  const process = paneProcess(ports, tmux);
  const place = placeOf(ports, tmux);
  if (place !== null) await killSession(ports, place, run);
  await processGone(ports, process, run);
};

/** Resolves when tmux says that it is gone. Throws OrderEnd `failed` when it does not end in time. */
export const killSession = async (ports: LifecyclePorts, place: SessionPlace, run: OrderRun): Promise<void> => {
  if (!(await ports.sessions.isThere(place, run.signal))) return;
  await ports.sessions.kill(place, run.signal);
  if (await until(run, async () => !(await ports.sessions.isThere(place, run.signal)))) return;
  throw new OrderEnd('failed', 'tmux did not end its session in time');
};

/** One process: a pid alone is used again. */
export interface PaneProcess {
  pid: number;
  startedAs: string;
}

/** Of its own pane; null where none lives. */
export const paneProcess = (ports: LifecyclePorts, tmux: TmuxFacts | null): PaneProcess | null => {
  const startedAs = tmux?.pid == null ? null : ports.startOf(tmux.pid);
  return startedAs === null ? null : { pid: tmux?.pid as number, startedAs };
};

/** Throws OrderEnd `failed` when it lives on. */
export const processGone = async (ports: LifecyclePorts, process: PaneProcess | null, run: OrderRun): Promise<void> => {
  if (process === null) return;
  const { pid, startedAs } = process;
  if (await until(run, () => ports.startOf(pid) !== startedAs)) return;
  throw new OrderEnd('failed', `its session is gone, but its process ${pid} lives on`);
};

/** null: its server is gone, or never told its pid. */
const placeOf = (ports: LifecyclePorts, { socket, sessionId }: TmuxFacts): SessionPlace | null => {
  const serverPid = ports.servers().find((server) => server.socket === socket)?.pid ?? null;
  return serverPid === null ? null : { socket, serverPid, sessionId };
};

/** Whether it came to be so before the order's time was over. */
export const until = async (run: OrderRun, isSo: () => boolean | Promise<boolean>): Promise<boolean> => {
  for (;;) {
    if (await isSo()) return true;
    if (run.signal.aborted) return false;
    await sleep(POLL_MS, run.signal);
  }
};
