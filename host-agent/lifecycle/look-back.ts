/**
 * What became of an order that was begun by a host-agent that is gone: systemd's jobs go on without us, and what the unit
 * and the session are afterwards says how far it went. Changes nothing.
 */
import type { LifecycleVerb } from '../../src/domain/order.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRecord } from '../command/order-record.ts';
import type { OrderRun } from '../command/order-run.ts';
import { placeOfKey } from './by-pane.ts';
import { isUp, unitWords } from './managed-agent.ts';
import type { LifecyclePorts } from './ports.ts';
import { isMoving, livingPane, proveStart, type Started, unitWhen } from './prove-start.ts';

const MEANWHILE = 'the host-agent ended meanwhile';
const NOT_STOPPED = 'it was not stopped to the end';

export const meanwhile = ({ outcome, reason }: OrderEnd): OrderEnd =>
  new OrderEnd(outcome, reason === '' ? MEANWHILE : `${MEANWHILE}; ${reason}`);

export const lookBack = async (
  ports: LifecyclePorts,
  verb: LifecycleVerb,
  record: OrderRecord,
  run: OrderRun,
): Promise<OrderEnd> => {
  const place = placeOfKey(record.key);
  if (place !== null && verb === 'stop') {
    const isThere = await ports.sessions.isThere(place, run.signal);
    return meanwhile(isThere ? new OrderEnd('failed', NOT_STOPPED) : new OrderEnd('done'));
  }
  const agent = ports.rows.row(record.key)?.agent;
  if (agent === undefined) return new OrderEnd('unknown', `${MEANWHILE}, and the agent is gone now`);
  const end =
    place === null
      ? await byUnit(ports, verb, record, ports.unitOf(agent), run)
      : await begunAnew(ports, verb, record, null, run);
  return meanwhile(end);
};

const byUnit = async (
  ports: LifecyclePorts,
  verb: LifecycleVerb,
  record: OrderRecord,
  name: string,
  run: OrderRun,
): Promise<OrderEnd> => {
  const unit = await unitWhen(ports, name, (now) => !isMoving(now), Number.POSITIVE_INFINITY, run);
  if (isMoving(unit)) return new OrderEnd('unknown', unitWords(unit));
  if (verb === 'stop') {
    const isGone = (ports.rows.row(record.key)?.tmux ?? null) === null && !isUp(unit);
    return isGone ? new OrderEnd('done') : new OrderEnd('failed', NOT_STOPPED);
  }
  if (!isUp(unit) && !isStill(ports, record)) {
    const words = verb === 'start' ? 'it was not started' : 'it is stopped, and was not started again';
    return new OrderEnd('failed', `${words}: ${unitWords(unit)}`);
  }
  return await begunAnew(ports, verb, record, name, run);
};

/** The pane of before: it never got further than its order. */
const isStill = (ports: LifecyclePorts, { key, panePid }: OrderRecord): boolean => {
  const row = ports.rows.row(key);
  return panePid !== 0 && row?.tmux?.pid === panePid && livingPane(ports, row) !== null;
};

const begunAnew = async (
  ports: LifecyclePorts,
  verb: LifecycleVerb,
  record: OrderRecord,
  unit: string | null,
  run: OrderRun,
): Promise<OrderEnd> => {
  if (verb !== 'start' && isStill(ports, record)) {
    return verb === 'restart'
      ? new OrderEnd('failed', 'it runs on as before, not restarted')
      : new OrderEnd('unknown', 'it was not restarted; whether it took its reset command is not known');
  }
  const started: Started = { unit, sinceMs: record.beganMs, pidBefore: null };
  const end = await proveStart(ports, record.key, started, run);
  const isRestarted = verb === 'reset' && end.outcome === 'done';
  return isRestarted ? new OrderEnd('done', ['restarted', end.reason].filter((each) => each !== '').join('; ')) : end;
};
