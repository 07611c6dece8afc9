/**
 * The orders that make a host as its roster says: deploy and remove, one agent at a time, each in the same turn as whatever
 * starts and stops that agent. Comes in: an order. Goes out: how it ended, with what was done for it.
 */
import type { DesiredVerb } from '../../src/domain/order.ts';
import { belongsHere } from '../../src/domain/placement.ts';
import { type Roster, type RosterAgent, rosterKey, rosterNameOf } from '../../src/domain/roster.ts';
import type { ControlAgentRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { Undeployed } from '../../src/wire/gen/fleet/v1/roster.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRecord } from '../command/order-record.ts';
import type { OrderRun } from '../command/order-run.ts';
import { bootAgents } from '../launch/boot-agents.ts';
import { type LaunchGround, unitFile } from '../launch/launch-paths.ts';
import { begun } from '../lifecycle/begun.ts';
import { turnOf } from '../lifecycle/lifecycle.ts';
import { meanwhile } from '../lifecycle/look-back.ts';
import { unitWords } from '../lifecycle/managed-agent.ts';
import { isMoving, proveStart, unitWhen } from '../lifecycle/prove-start.ts';
import { type AgentFacts, agentFacts, factsWith, ownUnitFile } from './agent-facts.ts';
import { deploy } from './deploy.ts';
import type { RosterStanding } from './get-roster.ts';
import { orphansOf } from './orphans.ts';
import { type DeployPlan, planDeploy, undeployedOf } from './plan-deploy.ts';
import type { DesiredPorts, Wanted } from './ports.ts';
import { leftOf, remove } from './remove.ts';
import { removeFacts } from './remove-facts.ts';
import { dueWords } from './step-words.ts';
import { unitFactsSeen } from './units-seen.ts';
import { wantedAgent } from './wanted-agent.ts';

export class DesiredState {
  readonly #ports: DesiredPorts;

  constructor(ports: DesiredPorts) {
    this.#ports = ports;
  }

  /** By word, or by throwing OrderEnd. */
  async control(verb: DesiredVerb, request: ControlAgentRequest, run: OrderRun): Promise<OrderEnd> {
    const { lifecycle } = this.#ports;
    const name = rosterNameOf(request.target?.key ?? '');
    if (name === null) throw new OrderEnd('refused', 'it is in no roster of this host: only a roster says what it is');
    const problem = lifecycle.unitsProblem();
    if (problem !== null) throw new OrderEnd('refused', `units cannot be asked here: ${problem}`);
    if (lifecycle.isHolder(name)) throw new OrderEnd('refused', 'it is the holder, and no agent');
    using _turn = await turnOf(lifecycle, lifecycle.unitOf(name), run);
    return await (verb === 'deploy' ? deploy : remove)(this.#ports, name, request, run);
  }

  /** How far one came that was begun by a process that is gone; changes nothing. The same order again finishes it. */
  async lookBack(verb: DesiredVerb, { key, beganMs }: OrderRecord, run: OrderRun): Promise<OrderEnd> {
    const { lifecycle } = this.#ports;
    const name = rosterNameOf(key);
    if (name === null) return new OrderEnd('unknown', 'the host-agent ended meanwhile');
    using _turn = await turnOf(lifecycle, lifecycle.unitOf(name), run);
    return await begun(async () => {
      const unit = await unitWhen(lifecycle, lifecycle.unitOf(name), (now) => !isMoving(now), Infinity, run);
      if (isMoving(unit)) return meanwhile(new OrderEnd('unknown', unitWords(unit)));
      return meanwhile(await (verb === 'deploy' ? this.#deployed(name, beganMs, run) : this.#removed(name)));
    });
  }

  /** What this host is against that roster, for whoever plans. */
  async standing(roster: Roster): Promise<RosterStanding> {
    const [undeployed, orphans] = await Promise.all([this.undeployed(roster), this.orphans(roster)]);
    const { ground, unitsSeen } = this.#ports;
    const ours = this.#ours(roster);
    const named = new Set([...orphans, ...ours.map(({ name }) => name)]);
    const leftOver = bootAgents(ground.home, unitsSeen().values()).filter((name) => !named.has(name));
    const theirs = await Promise.all(ours.map((agent) => this.#isOperators(agent)));
    const operatorUnits = ours.flatMap(({ name }, at) => (theirs[at] ? [name] : []));
    return { undeployed, orphans, operatorUnits, leftOver };
  }

  /** Agents of this roster that a deploy would not leave as they are, other than by starting what does not run. */
  async undeployed(roster: Roster): Promise<Undeployed[]> {
    if (this.#ports.lifecycle.unitsProblem() !== null) return [];
    const found = await Promise.all(this.#ours(roster).map((agent) => this.#undeployed({ agent, roster })));
    return found.flatMap((each) => each ?? []);
  }

  /** Agents that fleet made here, and that this roster does not name. */
  async orphans(roster: Roster): Promise<string[]> {
    return await orphansOf(this.#ports.ground.home, new Set(this.#ours(roster).map(({ name }) => name)));
  }

  #ours({ agents }: Roster): RosterAgent[] {
    return agents.filter((agent) => belongsHere(agent, this.#ports.here()));
  }

  /** On a shared server, by a unit that fleet did not write and will not. */
  async #isOperators({ name, layout }: RosterAgent): Promise<boolean> {
    if (layout !== 'shared') return false;
    const { kind } = await ownUnitFile(unitFile(this.#ports.ground.home, name));
    return kind === 'theirs' || (kind === 'none' && this.#ports.unitsSeen().has(this.#ports.lifecycle.unitOf(name)));
  }

  async #undeployed(wanted: Wanted): Promise<Undeployed | null> {
    const name = wanted.agent.name;
    const facts = await factsWith(this.#ports, wanted, unitFactsSeen(this.#ports, name));
    const end = planned(facts, this.#ports.ground);
    if (end instanceof OrderEnd) {
      const moves = !(planned(facts, this.#ports.ground, true) instanceof OrderEnd);
      return moves ? { agent: name, reason: end.reason, restart: facts.session === 'elsewhere', moves } : null;
    }
    const open = undeployedOf(end);
    return open && { agent: name, ...open, moves: false };
  }

  async #deployed(name: string, beganMs: number, run: OrderRun): Promise<OrderEnd> {
    const { lifecycle, ground } = this.#ports;
    const facts = await agentFacts(this.#ports, await wantedAgent(this.#ports, name, ''));
    const plan = planned(facts, ground);
    if (plan instanceof OrderEnd) return new OrderEnd('failed', plan.reason);
    if (plan.steps.length > 0) return new OrderEnd('failed', `what it has still to do: ${dueWords(plan.steps)}`);
    if (facts.session !== 'unit') return new OrderEnd('done', plan.notes.join('; '));
    const started = { unit: facts.unit.name, sinceMs: beganMs, pidBefore: null };
    return await proveStart(lifecycle, rosterKey(name), started, run);
  }

  async #removed(name: string): Promise<OrderEnd> {
    const left = leftOf(await removeFacts(this.#ports, name, false));
    return left === null ? new OrderEnd('done') : new OrderEnd('failed', `it was not removed to the end: ${left}`);
  }
}

/** What a plain deploy would do, or why it would do nothing. */
const planned = (facts: AgentFacts, ground: LaunchGround, migrate = false): DeployPlan | OrderEnd => {
  try {
    return planDeploy(facts, { force: false, migrate }, ground);
  } catch (error) {
    if (error instanceof OrderEnd) return error;
    throw error;
  }
};
