/**
 * Ends one agent of this host and takes away what fleet made for it, so that nothing of it comes back; then looks whether it
 * is so. What is gone already is no fault.
 */
import { rosterKey } from '../../src/domain/roster.ts';
import type { ControlAgentRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRun } from '../command/order-run.ts';
import { agentLaunchPaths, unitFile } from '../launch/launch-paths.ts';
import { ByUnit } from '../lifecycle/by-unit.ts';
import { endSession, paneProcess } from '../lifecycle/end-session.ts';
import { isUp, managedAgent, orderedRow, unitWords } from '../lifecycle/managed-agent.ts';
import { deleteAll } from './agent-files.ts';
import { endSpareHolder } from './end-holder.ts';
import { planRemove, type RemoveStep } from './plan-remove.ts';
import type { DesiredPorts } from './ports.ts';
import { Progress } from './progress.ts';
import { purgedFiles, type RemoveFacts, removeFacts } from './remove-facts.ts';
import { doneWords } from './step-words.ts';
import { wantedOrNone } from './wanted-agent.ts';

/** With its turn taken. How it ended, by word or by throwing OrderEnd. */
export const remove = async (
  ports: DesiredPorts,
  name: string,
  request: ControlAgentRequest,
  run: OrderRun,
): Promise<OrderEnd> => {
  const wanted = await wantedOrNone(ports, name, request.rosterDigest);
  const facts = await removeFacts(ports, name, wanted !== null);
  const steps = planRemove(facts, request);
  const progress = new Progress(run);
  if (steps.length === 0) return progress.end([], 'nothing of it was there');
  // What keeps it from being ended is known before anything changes.
  if (facts.hasSession) orderedRow(ports.lifecycle, rosterKey(name), false);
  await run.typing();
  return await progress.through(async () => {
    for (const { is } of steps) {
      progress.orLate();
      const end = await doStep(is, ports, name, facts, request, run);
      if (end instanceof OrderEnd && end.outcome !== 'done') return progress.but(end);
      if (end !== 'left') progress.did(doneWords(is));
    }
    const left = leftOf(await removeFacts(ports, name, facts.isDeclared));
    return left === null ? progress.end([], '') : progress.but(new OrderEnd('failed', left));
  });
};

/** What of it would still run, come back or lie about, in words; null: nothing. */
export const leftOf = ({ unit, file, own, hasSession, hasLaunchFiles }: RemoveFacts): string | null => {
  if (hasSession) return 'its session is still there';
  if (isUp(unit) || unit.activeState === 'deactivating') return unitWords(unit);
  if (own.kind === 'isolated' || own.kind === 'shared') return `the file of ${unit.name} is still there`;
  if (file.state === 'enabled') return `${unit.name} is still enabled`;
  return hasLaunchFiles ? 'the files of its launch are still there' : null;
};

const doStep = async (
  step: RemoveStep['is'],
  ports: DesiredPorts,
  name: string,
  { unit }: RemoveFacts,
  request: ControlAgentRequest,
  run: OrderRun,
): Promise<OrderEnd | 'left' | null> => {
  const { lifecycle, unitFiles, ground } = ports;
  if (step === 'stop') return await stop(ports, name, unit.name, request, run);
  if (step === 'end-session') {
    const row = orderedRow(lifecycle, rosterKey(name), false);
    if (row.writer !== null && !request.force) return new OrderEnd('busy', `${row.writer} has taken it over`);
    await endSession(lifecycle, row.key, paneProcess(lifecycle, row.tmux), run);
  } else if (step === 'disable') await unitFiles.disable([unit.name]);
  else if (step === 'delete-unit') await deleteAll([unitFile(ground.home, name)]);
  else if (step === 'end-holder') return (await endSpareHolder(ports, run)) ? null : 'left';
  else if (step === 'forget') await deleteAll([agentLaunchPaths(ground, name).folder]);
  else if (step === 'purge') await deleteAll(purgedFiles(ports, name));
  else {
    await unitFiles.reload();
    // One that failed would be remembered without its file.
    await unitFiles.resetFailed(unit.name).catch(() => undefined);
  }
  return null;
};

/** By its row where it has one, which says what else would end; else by its unit alone, which fleet wrote. */
const stop = async (
  { lifecycle }: DesiredPorts,
  name: string,
  unit: string,
  request: ControlAgentRequest,
  run: OrderRun,
): Promise<OrderEnd> => {
  if (lifecycle.rows.row(rosterKey(name)) !== undefined) {
    const target = await managedAgent(lifecycle, orderedRow(lifecycle, rosterKey(name), false));
    return await new ByUnit(lifecycle, target, request, run).end('stop');
  }
  const result = await lifecycle.units.run('stop', unit, run.signal);
  if (result === 'done') return new OrderEnd('done');
  const words = unitWords(await lifecycle.units.read(unit));
  return result === null
    ? new OrderEnd('unknown', `systemd was still stopping it: ${words}`)
    : new OrderEnd('failed', `its stop ended as ${result}: ${words}`);
};
