/**
 * Whether an agent that was started really runs: its session, its pane, its row, watched until it holds. An ephemeral
 * worker may also have run to its end by then.
 */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { UnitNow } from '../../src/domain/unit-now.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRun } from '../command/order-run.ts';
import { isExited, isUp, unitWords } from './managed-agent.ts';
import type { LifecyclePorts } from './ports.ts';
import { endWords, lastRunSince, launchWords, runEnd } from './run-end.ts';

const POLL_MS = 100;
/** A runtime that is not found, or exits at once, is gone by then. */
const SETTLED_MS = 2_000;
/** From the end of a start that waits for nothing to the row of its session. */
const NO_SESSION_MS = 10_000;
const UNIT_EVERY_MS = 1_000;
/** A unit is done with its end, and the flight recorder with its record, by then. */
const RECORDED_MS = 5_000;
/** stuck waits for a person, and runs. */
const RUNNING = ['working', 'available', 'stuck'];

export interface Started {
  /** null: it has none. */
  unit: string | null;
  /** Wall clock, before it was started. */
  sinceMs: number;
  /** Of its pane before, which the rows may still show. */
  pidBefore: number | null;
}

/** `done`, `unverifiable` where it runs but is no good, `failed` with the last words of its unit and its launcher. */
export const proveStart = async (
  ports: LifecyclePorts,
  key: string,
  started: Started,
  run: OrderRun,
): Promise<OrderEnd> => {
  const { clock } = ports;
  const beganMono = clock.monotonicMs();
  let seen = null as { pid: number; atMono: number } | null;
  let unitAtMono = beganMono;
  for (;;) {
    const now = clock.monotonicMs();
    const row = ports.rows.row(key);
    const living = livingPane(ports, row);
    const pid = living === started.pidBefore ? null : living;
    const isAnother = pid !== null && seen !== null && seen.pid !== pid;
    if (pid !== null && !isAnother) {
      seen ??= { pid, atMono: now };
      if (now - seen.atMono >= SETTLED_MS && RUNNING.includes(row?.readiness ?? '')) return runningEnd(row as AgentRow);
      if (run.signal.aborted) return new OrderEnd('unverifiable', `its session runs, but it is ${stateWords(row)}`);
    } else {
      const isDead = row?.tmux?.dead === true && row.tmux.pid !== started.pidBefore;
      const isEnded = isDead || seen !== null;
      const isOver = isEnded || run.signal.aborted || now - beganMono >= NO_SESSION_MS;
      const isDue = started.unit !== null && now - unitAtMono >= UNIT_EVERY_MS;
      if (isDue) unitAtMono = now;
      if (isOver || (isDue && !isUp(await ports.units.read(started.unit as string)))) {
        return await endedEnd(ports, key, started, { isEnded, isAgain: isAnother }, run);
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

/** It is not there, or not any more. `isAgain`: another process is in its place already. */
const endedEnd = async (
  ports: LifecyclePorts,
  key: string,
  { unit: unitName, sinceMs }: Started,
  { isEnded, isAgain }: { isEnded: boolean; isAgain: boolean },
  run: OrderRun,
): Promise<OrderEnd> => {
  const isOver = (now: UnitNow): boolean =>
    !isMoving(now) && (isAgain || !isUp(now) || isExited(now) || runEnd(ports.rows.row(key), null) !== null);
  const unit = unitName === null ? null : await unitWhen(ports, unitName, isOver, RECORDED_MS, run);
  const row = await rowWithEnd(ports, key, run);
  const agent = row?.agent ?? '';
  const end = runEnd(row, await lastRunSince(ports, agent, sinceMs));
  if (row?.lifecycle === 'ephemeral' && !isAgain) {
    if (end?.status === 0 && end.signal === null) return new OrderEnd('done', 'it ran to its end, exited 0');
    if (end === null && unit?.activeState === 'inactive' && unit.result === 'success') {
      return new OrderEnd('unverifiable', 'it ran to its end; with which status, nobody kept');
    }
  }
  const how = [
    isEnded ? 'its session ended at once' : 'no session came of it',
    ...(row?.tmux?.dead === true && end !== null ? [`its program ${endWords(end)}`] : []),
    ...(row?.tmux?.dead === true ? [] : await launchWords(ports, agent, sinceMs)),
    ...(unit === null ? [] : [unitWords(unit)]),
  ];
  return new OrderEnd('failed', how.join('; '));
};

/** tmux may say that a pane is dead before it says how (tmux#4841). */
const rowWithEnd = async (ports: LifecyclePorts, key: string, run: OrderRun): Promise<AgentRow | undefined> => {
  const untilMono = ports.clock.monotonicMs() + RECORDED_MS;
  for (;;) {
    const row = ports.rows.row(key);
    const isKnown = row?.tmux?.dead !== true || runEnd(row, null) !== null;
    if (isKnown || run.signal.aborted || ports.clock.monotonicMs() >= untilMono) return row;
    await sleep(POLL_MS, run.signal);
  }
};

/** systemd is at it; between two attempts of its own it waits, and nothing is under way. */
export const isMoving = ({ activeState, subState }: UnitNow): boolean =>
  ['activating', 'deactivating'].includes(activeState) && subState !== 'auto-restart';

/** As it is when that is so, or the time is over. */
export const unitWhen = async (
  ports: LifecyclePorts,
  name: string,
  isSo: (unit: UnitNow) => boolean,
  withinMs: number,
  run: OrderRun,
): Promise<UnitNow> => {
  const untilMono = ports.clock.monotonicMs() + withinMs;
  for (;;) {
    const unit = await ports.units.read(name);
    if (isSo(unit) || run.signal.aborted || ports.clock.monotonicMs() >= untilMono) return unit;
    await sleep(POLL_MS, run.signal);
  }
};

const stateWords = (row: AgentRow | undefined): string =>
  `${row?.readiness ?? 'unknown'}${row?.reason ? ` (${row.reason})` : ''}`;
