/**
 * Starts, stops, restarts and resets one agent of this host in its own layout, or the holder of its shared tmux server.
 * Never a session that nobody declared, unless adopted; never others along with it unless forced; never two at once.
 */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { holderUnitOf } from '../../src/domain/holder.ts';
import type { LifecycleVerb } from '../../src/domain/order.ts';
import type { ControlAgentRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import { HeldBy, type OrderEnd } from '../command/order-end.ts';
import type { OrderRecord } from '../command/order-record.ts';
import type { OrderRun } from '../command/order-run.ts';
import { PaneBusy } from '../command/pane-lock.ts';
import { begun } from './begun.ts';
import { ByPane } from './by-pane.ts';
import { ByUnit } from './by-unit.ts';
import { agentsOn, controlHolder, holderOf, lookBackHolder } from './holder-order.ts';
import { lookBack, meanwhile } from './look-back.ts';
import { managedAgent, orderedRow } from './managed-agent.ts';
import type { Holder, LifecyclePorts } from './ports.ts';
import { resetAgent } from './reset-agent.ts';

export class Lifecycle {
  readonly #ports: LifecyclePorts;

  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
  }

  /** How it ended, by word or by throwing OrderEnd. */
  async control(verb: LifecycleVerb, request: ControlAgentRequest, run: OrderRun): Promise<OrderEnd> {
    const key = request.target?.key ?? '';
    const unit = holderUnitOf(key);
    if (unit !== null) {
      const holder = holderOf(this.#ports, unit);
      using _turns = await this.#holderTurns(holder, run);
      return await controlHolder(this.#ports, verb, holder, request, run);
    }
    using _turn = await this.#turn(this.#turnOf(orderedRow(this.#ports, key, request.adopt)), run);
    // As it is now: another order may have had its turn meanwhile.
    const row = orderedRow(this.#ports, key, request.adopt);
    const hands = async (): Promise<ByUnit | ByPane> =>
      row.managed
        ? new ByUnit(this.#ports, await managedAgent(this.#ports, row), request, run)
        : new ByPane(this.#ports, row, request, run);
    if (verb === 'start') return await (await hands()).start();
    if (verb !== 'reset') return await (await hands()).end(verb);
    return await resetAgent(this.#ports, row, request, run, async () => (await hands()).end('restart'));
  }

  async lookBack(verb: LifecycleVerb, record: OrderRecord, run: OrderRun): Promise<OrderEnd> {
    const unit = holderUnitOf(record.key);
    if (unit !== null) {
      const holder = holderOf(this.#ports, unit);
      using _turns = await this.#holderTurns(holder, run);
      return await begun(async () => meanwhile(await lookBackHolder(this.#ports, verb, holder, run)));
    }
    const row = this.#ports.rows.row(record.key);
    using _turn = await this.#turn(row === undefined ? record.key : this.#turnOf(row), run);
    return await begun(() => lookBack(this.#ports, verb, record, run));
  }

  #turnOf({ managed, agent, key }: AgentRow): string {
    return managed ? this.#ports.unitOf(agent) : key;
  }

  /** Its own, and those of all that live on its server; always in one order, so that two never wait for each other. */
  async #holderTurns(holder: Holder, run: OrderRun): Promise<Disposable> {
    using turns = new DisposableStack();
    turns.use(await this.#turn(holder.unit, run));
    for (const agent of agentsOn(this.#ports, holder).sort()) {
      turns.use(await this.#turn(this.#ports.unitOf(agent), run));
    }
    return turns.move();
  }

  #turn(of: string, run: OrderRun): Promise<Disposable> {
    return turnOf(this.#ports, of, run);
  }
}

/** Throws OrderEnd `busy` when it does not come in time, and says whose it was. */
export const turnOf = async (
  { turn }: Pick<LifecyclePorts, 'turn'>,
  of: string,
  run: OrderRun,
): Promise<Disposable> => {
  try {
    return await turn(of, run.signal, run.owner);
  } catch (error) {
    if (!(error instanceof PaneBusy)) throw error;
    throw new HeldBy(error.holder || 'another order', 'has its turn');
  }
};
