/** An agent of this host's roster, started and ended by its own unit, its session seen to come and go. */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { ControlAgentRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import { HeldBy, OrderEnd } from '../command/order-end.ts';
import type { OrderRun } from '../command/order-run.ts';
import { begun, stoppedBut, withAlong } from './begun.ts';
import { casualtiesOf, casualtyWords } from './casualties.ts';
import { endSession, paneProcess, until } from './end-session.ts';
import { isExited, isUp, type ManagedAgent, unitWords } from './managed-agent.ts';
import type { LifecyclePorts } from './ports.ts';
import { livingPane, proveStart } from './prove-start.ts';
import { launchWords } from './run-end.ts';

/** The rows follow tmux within a second. */
const LATELY_MS = 2_000;

export class ByUnit {
  readonly #ports: LifecyclePorts;
  readonly #target: ManagedAgent;
  readonly #request: ControlAgentRequest;
  readonly #run: OrderRun;

  constructor(ports: LifecyclePorts, target: ManagedAgent, request: ControlAgentRequest, run: OrderRun) {
    this.#ports = ports;
    this.#target = target;
    this.#request = request;
    this.#run = run;
  }

  async start(): Promise<OrderEnd> {
    const { unit } = this.#target;
    const row = await this.#lately();
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
    const along = hasRemains ? await this.#casualties() : null;
    await this.#run.typing();
    return await begun(async () => {
      if (hasRemains) await this.#stopUnit();
      return withAlong(await this.#startUnit(), along);
    });
  }

  async end(verb: 'stop' | 'restart'): Promise<OrderEnd> {
    const { row, unit } = this.#target;
    const isDown = row.tmux === null && !isUp(unit) && unit.activeState !== 'deactivating';
    if (verb === 'stop' && isDown) return new OrderEnd('done', 'it was stopped already');
    if (row.writer !== null && !this.#request.force) throw new HeldBy(row.writer, 'has taken it over');
    const along = isDown ? null : await this.#casualties();
    await this.#run.typing();
    return await begun(async () => {
      if (!isDown) await this.#stopUnit();
      if (verb === 'stop') return withAlong(new OrderEnd('done'), along);
      return withAlong(await stoppedBut(() => this.#startUnit()), along);
    });
  }

  /** A session that was made this moment is not in the rows yet; nothing of it is a remainder. */
  async #lately(): Promise<AgentRow> {
    const { row, unit } = this.#target;
    const { clock, rows } = this.#ports;
    const untilMono = clock.monotonicMs() + LATELY_MS;
    if (isExited(unit)) {
      await until(this.#run, () => rows.row(row.key)?.tmux != null || clock.monotonicMs() >= untilMono);
    }
    return rows.row(row.key) ?? row;
  }

  /** Who goes along, in words, where that was forced. */
  async #casualties(): Promise<string | null> {
    const { row, unit } = this.#target;
    const words = casualtyWords(await casualtiesOf(this.#ports, row, unit));
    if (words === null || this.#request.force) return words;
    throw new OrderEnd('refused', `${words} would end with it: --force does it all the same`);
  }

  async #stopUnit(): Promise<void> {
    const { row, unit } = this.#target;
    const before = paneProcess(this.#ports, row.tmux);
    const result = await this.#ports.units.run('stop', unit.name, this.#run.signal);
    if (result === null) throw new OrderEnd('unknown', `systemd was still stopping it: ${await this.#words()}`);
    if (result !== 'done') throw new OrderEnd('failed', `its stop ended as ${result}: ${await this.#words()}`);
    await endSession(this.#ports, row.key, before, this.#run);
  }

  async #startUnit(): Promise<OrderEnd> {
    const { row, unit } = this.#target;
    const sinceMs = this.#ports.clock.nowMs();
    const result = await this.#ports.units.run('start', unit.name, this.#run.signal);
    if (result === null) throw new OrderEnd('unknown', `systemd was still starting it: ${await this.#words()}`);
    if (result !== 'done') {
      const launch = await launchWords(this.#ports, row.agent, sinceMs);
      const words = [`its start ended as ${result}`, ...launch].join('; ');
      throw new OrderEnd('failed', `${words}: ${await this.#words()}`);
    }
    return await proveStart(this.#ports, row.key, { unit: unit.name, sinceMs, pidBefore: null }, this.#run);
  }

  async #words(): Promise<string> {
    return unitWords(await this.#ports.units.read(this.#target.unit.name));
  }
}
