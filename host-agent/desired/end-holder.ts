/**
 * The holder of a shared server goes with the last agent that fleet had on it: its unit, where fleet wrote that, and nobody
 * else's session would end with it. Comes in: a host after an agent's unit was deleted. Goes out: whether it went.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HOLDER_UNIT } from '../../src/domain/holder.ts';
import { agentOfUnit } from '../../src/domain/unit-name.ts';
import type { OrderRun } from '../command/order-run.ts';
import { agentLaunchPaths, HOLDER, unitsFolder } from '../launch/launch-paths.ts';
import { isUp } from '../lifecycle/managed-agent.ts';
import { ownUnitFile } from './agent-facts.ts';
import { deleteAll } from './agent-files.ts';
import type { DesiredPorts } from './ports.ts';

export const endSpareHolder = async (ports: DesiredPorts, run: OrderRun): Promise<boolean> => {
  const { lifecycle, unitFiles, ground } = ports;
  const folder = unitsFolder(ground.home);
  const file = join(folder, HOLDER_UNIT);
  const { kind } = await ownUnitFile(file);
  if (kind === 'none' || kind === 'theirs') return false;
  const agents = (await readdir(folder)).filter((name) => agentOfUnit(name) !== null);
  const others = await Promise.all(agents.map((name) => ownUnitFile(join(folder, name))));
  // A unit that fleet did not write may lean on it, too.
  if (others.some((other) => other.kind !== 'isolated') || hasCompany(ports)) return false;
  const isRunning = isUp(await lifecycle.units.read(HOLDER_UNIT));
  if (isRunning && (await lifecycle.units.run('stop', HOLDER_UNIT, run.signal)) !== 'done') return false;
  await unitFiles.disable([HOLDER_UNIT]);
  await deleteAll([file, agentLaunchPaths(ground, HOLDER).folder]);
  return true;
};

/** Sessions beside the holder's own on its server. */
const hasCompany = ({ lifecycle }: DesiredPorts): boolean =>
  lifecycle
    .servers()
    .some(
      ({ sessions }) =>
        sessions.some(({ name }) => lifecycle.isHolder(name)) && sessions.some(({ name }) => !lifecycle.isHolder(name)),
    );
