/** What there is of an agent that is to be removed, whether a roster still names it or not. Changes nothing. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { rosterKey } from '../../src/domain/roster.ts';
import type { UnitNow } from '../../src/domain/unit-now.ts';
import { agentLaunchPaths, envFile, unitFile } from '../launch/launch-paths.ts';
import { type OwnUnitFile, ownUnitFile } from './agent-facts.ts';
import type { DesiredPorts, UnitFileNow } from './ports.ts';

export interface RemoveFacts {
  unit: UnitNow;
  file: UnitFileNow;
  own: OwnUnitFile;
  /** The roster on disk names it. */
  isDeclared: boolean;
  hasSession: boolean;
  hasLaunchFiles: boolean;
  /** What only a purge takes away. */
  hasRecords: boolean;
}

export const removeFacts = async (ports: DesiredPorts, agent: string, isDeclared: boolean): Promise<RemoveFacts> => {
  const { lifecycle, unitFiles, ground } = ports;
  const name = lifecycle.unitOf(agent);
  const [unit, file, own] = await Promise.all([
    lifecycle.units.read(name),
    unitFiles.read(name),
    ownUnitFile(unitFile(ground.home, agent)),
  ]);
  return {
    unit,
    file,
    own,
    isDeclared,
    hasSession: lifecycle.rows.row(rosterKey(agent))?.tmux != null,
    hasLaunchFiles: existsSync(agentLaunchPaths(ground, agent).folder),
    hasRecords: purgedFiles(ports, agent).some(existsSync),
  };
};

/** Files and folders of exactly this agent that are its operator's, or of its past. */
export const purgedFiles = ({ ground, beatsFolder }: DesiredPorts, agent: string): string[] => [
  envFile(ground, agent),
  agentLaunchPaths(ground, agent).runs,
  ...['.hb', '.hb.native'].map((end) => join(beatsFolder(agent), `${agent}${end}`)),
];
