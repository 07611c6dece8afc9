/**
 * Starts, stops and restarts one agent of this host's roster in its own layout: its unit through systemd, its session seen
 * to come and go. Never an agent that nobody declared, never others along with it unless forced, never two at once.
 */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { FleetError } from '../../src/domain/errors.ts';
import type { LifecycleVerb } from '../../src/domain/order.ts';
import type { ControlAgentRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRecord } from '../command/order-record.ts';
import type { OrderRun } from '../command/order-run.ts';
import { casualtiesOf, casualtyWords } from './casualties.ts';
import { endSession, paneProcess, until } from './end-session.ts';
import { lookBack } from './look-back.ts';
import { isExited, isUp, type ManagedAgent, managedAgent, managedRow, unitWords } from './managed-agent.ts';
import type { LifecyclePorts } from './ports.ts';
import { livingPane, proveStart } from './prove-start.ts';

/** The rows follow tmux within a second. */
const LATELY_MS = 2_000;

export class Lifecycle {
  readonly #ports: LifecyclePorts;

  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
  }

  /** How it ended, by word or by throwing OrderEnd. */
  async control(verb: LifecycleVerb, request: ControlAgentRequest, run: OrderRun): Promise<OrderEnd> {
    const key = request.target?.key ?? '';
    const { agent } = managedRow(this.#ports, key);
    using _turn = await this.#turn(agent, run);
    const target = await managedAgent(this.#ports, key);
    return verb === 'start' ? await this.#start(target, request, run) : await this.#end(verb, target, request, run);
  }

  async lookBack(verb: LifecycleVerb, record: OrderRecord, run: OrderRun): Promise<OrderEnd> {
    const row = this.#ports.rows.row(record.key);
    if (row === undefined) return new OrderEnd('unknown', 'the host-agent ended meanwhile, and the agent is gone now');
    using _turn = await this.#turn(row.agent, run);
    return await begun(() => lookBack(this.#ports, verb, record, run));
  }

  async #start(target: ManagedAgent, request: ControlAgentRequest, run: OrderRun): Promise<OrderEnd> {
    const { unit } = target;
    const row = await this.#lately(target, run);
    const isAlive = livingPane(this.#ports, row) !== null || (row.tmux !== null && row.tmux.pid === null);
    if (isAlive && isUp(unit)) return new OrderEnd('done', 'it ran already');
    if (isAlive) {
      throw new OrderEnd(
        'refused',
        `its session runs, but not by its unit (${unit.activeState}): a restart starts it so`,
      );
    }
    // A unit that is up without what it started does nothing when it is started.
    const hasRemains = isExited(unit) || row.tmux !== null;
    const along = hasRemains ? await this.#casualties(target, request) : null;
    await run.typing();
    return await begun(async () => {
      if (hasRemains) await this.#stopUnit(target, run);
      return withAlong(await this.#startUnit(target, run), along);
    });
  }

  /** A session that was made this moment is not in the rows yet; nothing of it is a remainder. */
  async #lately({ row, unit }: ManagedAgent, run: OrderRun): Promise<AgentRow> {
    const { clock, rows } = this.#ports;
    const untilMono = clock.monotonicMs() + LATELY_MS;
    if (isExited(unit)) await until(run, () => rows.row(row.key)?.tmux != null || clock.monotonicMs() >= untilMono);
    return rows.row(row.key) ?? row;
  }

  /** Stop and restart. */
  async #end(
    verb: 'stop' | 'restart',
    target: ManagedAgent,
    request: ControlAgentRequest,
    run: OrderRun,
  ): Promise<OrderEnd> {
    const { row, unit } = target;
    const isDown = row.tmux === null && !isUp(unit) && unit.activeState !== 'deactivating';
    if (verb === 'stop' && isDown) return new OrderEnd('done', 'it was stopped already');
    if (row.writer !== null && !request.force) throw new OrderEnd('busy', `${row.writer} has taken it over`);
    const along = isDown ? null : await this.#casualties(target, request);
    await run.typing();
    return await begun(async () => {
      if (!isDown) await this.#stopUnit(target, run);
      if (verb === 'stop') return withAlong(new OrderEnd('done'), along);
      const end = await stoppedBut(() => this.#startUnit(target, run));
      return withAlong(end, along);
    });
  }

  /** Who goes along, in words, where that was forced. */
  async #casualties({ row, unit }: ManagedAgent, { force }: ControlAgentRequest): Promise<string | null> {
    const words = casualtyWords(await casualtiesOf(this.#ports, row, unit));
    if (words === null || force) return words;
    throw new OrderEnd('refused', `${words} would end with it: --force does it all the same`);
  }

  async #stopUnit({ row, unit }: ManagedAgent, run: OrderRun): Promise<void> {
    const before = paneProcess(this.#ports, row.tmux);
    const result = await this.#ports.units.run('stop', unit.name, run.signal);
    if (result === null)
      throw new OrderEnd('unknown', `systemd was still stopping it: ${await this.#words(unit.name)}`);
    if (result !== 'done') throw new OrderEnd('failed', `its stop ended as ${result}: ${await this.#words(unit.name)}`);
    await endSession(this.#ports, row.key, before, run);
  }

  async #startUnit({ row, unit }: ManagedAgent, run: OrderRun): Promise<OrderEnd> {
    const result = await this.#ports.units.run('start', unit.name, run.signal);
    if (result === null) {
      throw new OrderEnd('unknown', `systemd was still starting it: ${await this.#words(unit.name)}`);
    }
    if (result !== 'done') {
      throw new OrderEnd('failed', `its start ended as ${result}: ${await this.#words(unit.name)}`);
    }
    return await proveStart(this.#ports, row.key, unit.name, run);
  }

  async #words(unit: string): Promise<string> {
    return unitWords(await this.#ports.units.read(unit));
  }

  async #turn(agent: string, run: OrderRun): Promise<Disposable> {
    try {
      return await this.#ports.turn(agent, run.signal);
    } catch (error) {
      if (!(error instanceof FleetError) || !run.signal.aborted) throw error;
      throw new OrderEnd('busy', 'another order starts or stops it');
    }
  }
}

/** From the first change on, whatever cannot be asked leaves open what became of it. */
const begun = async (act: () => Promise<OrderEnd>): Promise<OrderEnd> => {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    if (error.code === 'FAILED_PRECONDITION') return new OrderEnd('failed', error.message);
    return new OrderEnd('unknown', `it was begun, but then: ${error.message}`);
  }
};

/** A restart that fails half way says which half was done. */
const stoppedBut = async (start: () => Promise<OrderEnd>): Promise<OrderEnd> => {
  try {
    const end = await start();
    return end.outcome === 'done' ? end : new OrderEnd(end.outcome, `it was stopped, but then: ${end.reason}`);
  } catch (error) {
    if (error instanceof OrderEnd) return new OrderEnd(error.outcome, `it was stopped, but then: ${error.reason}`);
    if (!(error instanceof FleetError)) throw error;
    const outcome = error.code === 'FAILED_PRECONDITION' ? 'failed' : 'unknown';
    return new OrderEnd(outcome, `it was stopped, but then: ${error.message}`);
  }
};

const withAlong = (end: OrderEnd, along: string | null): OrderEnd =>
  along === null
    ? end
    : new OrderEnd(end.outcome, `${end.reason === '' ? '' : `${end.reason}; `}ended along: ${along}`);
