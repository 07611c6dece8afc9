/**
 * Makes of one agent what the roster on disk says, each step only where it is needed, and tells which were. Never ends a
 * session that runs outside of its unit; never an operator's file changed unasked, nor lost where it was asked.
 */
import { join } from 'node:path';
import { HOLDER_UNIT } from '../../src/domain/holder.ts';
import { rosterKey } from '../../src/domain/roster.ts';
import { writeWhole } from '../../src/runtime/write-whole.ts';
import type { ControlAgentRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRun } from '../command/order-run.ts';
import { envFile, unitFile, unitsFolder } from '../launch/launch-paths.ts';
import { ByPane } from '../lifecycle/by-pane.ts';
import { ByUnit } from '../lifecycle/by-unit.ts';
import { endSession, paneProcess, until } from '../lifecycle/end-session.ts';
import { isUp, managedAgent, orderedRow } from '../lifecycle/managed-agent.ts';
import { type AgentFacts, agentFacts, strayOf } from './agent-facts.ts';
import { beforeName, deleteAll, editKept, PRIVATE_MODE, writeUnit } from './agent-files.ts';
import { withoutSocket } from './env-text.ts';
import { type DeployStep, planDeploy } from './plan-deploy.ts';
import type { DesiredPorts } from './ports.ts';
import { Progress } from './progress.ts';
import { doneWords } from './step-words.ts';
import { wantedAgent } from './wanted-agent.ts';

/** Rows follow a roster that was read anew at once. */
const ROW_MS = 5_000;
const UNCHANGED = 'it is so already';

/** With its turn taken. How it ended, by word or by throwing OrderEnd. */
export const deploy = async (
  ports: DesiredPorts,
  name: string,
  request: ControlAgentRequest,
  run: OrderRun,
): Promise<OrderEnd> => {
  const wanted = await wantedAgent(ports, name, request.rosterDigest);
  await rowOf(ports, name, run);
  const facts = await agentFacts(ports, wanted);
  const { steps, notes } = planDeploy(facts, request, ports.ground);
  const ends = steps.some(({ is }) => is === 'stop' || is === 'restart');
  if (ends && facts.writer !== null && !request.force) throw new OrderEnd('busy', `${facts.writer} has taken it over`);
  const isFreed = steps.some(({ is }) => is === 'free-socket');
  const hindrance = ends ? await ports.launches.hindrance(wanted.agent, isFreed) : null;
  if (hindrance !== null && steps.some(({ is }) => is === 'stop'))
    throw new OrderEnd('refused', `not moved, since it could not start there: ${hindrance}`);
  const progress = new Progress(run);
  if (steps.length === 0) return progress.end(notes, UNCHANGED);
  await run.typing();
  return await progress.through(async () => {
    const hands = new Hands(ports, facts, request, run, progress);
    for (const step of steps) {
      progress.orLate();
      if (step.is === 'restart' && hindrance !== null)
        return progress.but(new OrderEnd('failed', `not restarted, it runs on as before: ${hindrance}`));
      const end = await hands.do(step);
      if (end !== null) return progress.but(end);
    }
    return progress.end([...hands.notes, ...notes], UNCHANGED);
  });
};

/** Throws OrderEnd where its row does not come, or the lifecycle could not act on it. */
const rowOf = async (ports: DesiredPorts, name: string, run: OrderRun): Promise<void> => {
  const { rows, clock } = ports.lifecycle;
  const key = rosterKey(name);
  await ports.refreshRoster();
  const untilMono = clock.monotonicMs() + ROW_MS;
  await until(run, () => rows.row(key)?.managed === true || clock.monotonicMs() >= untilMono);
  if (rows.row(key) === undefined) throw new OrderEnd('refused', 'the roster names it, but it could not be taken up');
  orderedRow(ports.lifecycle, key, false);
};

/** What does the steps of one deploy. */
class Hands {
  readonly notes: string[] = [];
  readonly #ports: DesiredPorts;
  readonly #facts: AgentFacts;
  readonly #request: ControlAgentRequest;
  readonly #run: OrderRun;
  readonly #progress: Progress;

  constructor(ports: DesiredPorts, facts: AgentFacts, request: ControlAgentRequest, run: OrderRun, progress: Progress) {
    this.#ports = ports;
    this.#facts = facts;
    this.#request = request;
    this.#run = run;
    this.#progress = progress;
  }

  /** null: done. */
  async do(step: DeployStep): Promise<OrderEnd | null> {
    const { ground, unitFiles, nowMs } = this.#ports;
    const { name } = this.#facts.agent;
    if (step.is === 'stop') return await this.#stop();
    if (step.is === 'start' || step.is === 'restart') return await this.#launch(step.is);
    let more = '';
    if (step.is === 'free-socket') {
      const path = envFile(ground, name);
      const kept = beforeName(path, nowMs());
      await editKept(path, kept, withoutSocket);
      await this.#ports.refreshRoster();
      more = keptWords(kept);
    } else if (step.is === 'write-env') {
      await writeWhole(envFile(ground, name), step.text, PRIVATE_MODE);
    } else if (step.is === 'write-unit') {
      const path = unitFile(ground.home, name);
      const kept = step.keep ? beforeName(path, nowMs()) : null;
      await writeUnit(path, step.text, kept);
      more = kept === null ? '' : keptWords(kept);
    } else if (step.is === 'delete-unit') await deleteAll([unitFile(ground.home, name)]);
    else if (step.is === 'write-holder') await writeUnit(join(unitsFolder(ground.home), HOLDER_UNIT), step.text, null);
    else if (step.is === 'disable') await unitFiles.disable(step.units);
    else if (step.is === 'enable') await unitFiles.enable(step.units);
    else if (step.is === 'reload') await unitFiles.reload();
    else if (!(await this.#linger())) return null;
    this.#progress.did(`${doneWords(step.is)}${more}`);
    return null;
  }

  async #stop(): Promise<OrderEnd | null> {
    const { lifecycle } = this.#ports;
    const { agent, roster } = this.#facts;
    const key = rosterKey(agent.name);
    const row = orderedRow(lifecycle, key, false);
    const target = { row, unit: await lifecycle.units.read(this.#facts.unit.name) };
    if (isUp(target.unit)) {
      const end = await new ByUnit(lifecycle, target, this.#request, this.#run).end('stop');
      if (end.outcome !== 'done') return end;
    }
    await endSession(lifecycle, key, paneProcess(lifecycle, row.tmux), this.#run);
    const stray = strayOf(this.#ports, agent, roster.socketName);
    const end = stray === null ? null : await new ByPane(lifecycle, stray, this.#request, this.#run).end('stop');
    if (end !== null && end.outcome !== 'done') return end;
    this.#progress.did(agent.layout === 'isolated' ? 'stopped on its shared server' : 'stopped');
    return null;
  }

  async #launch(verb: 'start' | 'restart'): Promise<OrderEnd | null> {
    const { lifecycle } = this.#ports;
    const row = orderedRow(lifecycle, rosterKey(this.#facts.agent.name), false);
    const hands = new ByUnit(lifecycle, await managedAgent(lifecycle, row), this.#request, this.#run);
    const end = verb === 'start' ? await hands.start() : await hands.end('restart');
    if (end.outcome !== 'done') return end;
    this.#progress.did(doneWords(verb));
    if (end.reason !== '') this.notes.push(end.reason);
    return null;
  }

  /** Whether it was turned on now. */
  async #linger(): Promise<boolean> {
    const linger = await this.#ports.linger.ensure();
    if (linger.state === 'refused')
      this.notes.push(`nothing of this user comes up at boot before an administrator runs: ${linger.command}`);
    if (linger.state === 'no-systemd')
      this.notes.push('nothing here comes up at boot: systemd does not run this machine');
    return linger.state === 'enabled';
  }
}

const keptWords = (path: string): string => ` (the one before is kept as ${path})`;
