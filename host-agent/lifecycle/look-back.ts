/**
 * What became of an order that was begun by a host-agent that is gone: systemd's jobs go on without us, and what the unit
 * and the session are afterwards says how far it went. Changes nothing.
 */
import type { LifecycleVerb } from '../../src/domain/order.ts';
import type { UnitNow } from '../../src/domain/unit-now.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRecord } from '../command/order-record.ts';
import type { OrderRun } from '../command/order-run.ts';
import { until } from './end-session.ts';
import { isUp, unitWords } from './managed-agent.ts';
import type { LifecyclePorts } from './ports.ts';
import { livingPane, proveStart } from './prove-start.ts';

const MEANWHILE = 'the host-agent ended meanwhile';

export const lookBack = async (
  ports: LifecyclePorts,
  verb: LifecycleVerb,
  { key, panePid }: OrderRecord,
  run: OrderRun,
): Promise<OrderEnd> => {
  const agent = ports.rows.row(key)?.agent;
  if (agent === undefined) return new OrderEnd('unknown', `${MEANWHILE}, and the agent is gone now`);
  const name = ports.unitOf(agent);
  const unit = await settledUnit(ports, name, run);
  if (unit.activeState === 'activating' || unit.activeState === 'deactivating') {
    return new OrderEnd('unknown', `${MEANWHILE}; ${unitWords(unit)}`);
  }
  const tmux = ports.rows.row(key)?.tmux ?? null;
  const isGone = tmux === null && !isUp(unit);
  if (verb === 'stop') {
    return isGone
      ? new OrderEnd('done', MEANWHILE)
      : new OrderEnd('failed', `${MEANWHILE}; it was not stopped to the end`);
  }
  // The pane of before: a restart never got further than its order.
  const isStill = panePid !== 0 && tmux?.pid === panePid && livingPane(ports, ports.rows.row(key)) !== null;
  if (verb === 'restart' && isStill) return new OrderEnd('failed', `${MEANWHILE}; it runs on as before, not restarted`);
  if (!isUp(unit)) {
    const words = verb === 'restart' ? 'it is stopped, and was not started again' : 'it was not started';
    return new OrderEnd('failed', `${MEANWHILE}; ${words}: ${unitWords(unit)}`);
  }
  const end = await proveStart(ports, key, name, run);
  return new OrderEnd(end.outcome, end.reason === '' ? MEANWHILE : `${MEANWHILE}; ${end.reason}`);
};

/** When systemd is done with it, or the time is over. */
const settledUnit = async (ports: LifecyclePorts, name: string, run: OrderRun): Promise<UnitNow> => {
  let unit = await ports.units.read(name);
  await until(run, async () => {
    unit = await ports.units.read(name);
    return unit.activeState !== 'activating' && unit.activeState !== 'deactivating';
  });
  return unit;
};
