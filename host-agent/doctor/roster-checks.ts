/** The roster against units, sessions and env files: what each has that the others do not. */
import { basename, join } from 'node:path';
import { counted } from '../../src/domain/counted.ts';
import { overridesOf } from '../../src/domain/overrides.ts';
import { agentUnit } from '../../src/domain/unit-name.ts';
import { parseRoster } from '../../src/roster/parse.ts';
import { findRoster } from '../../src/roster/roster-file.ts';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import { bootAgents } from '../launch/boot-agents.ts';
import type { DiagnoseOptions } from './diagnose-options.ts';
import { failed, few, ok, unknown, warning } from './finding.ts';

export const roster = ({ inventory }: DiagnoseOptions): Finding => {
  const { path, roster: held, problem, warnings = [] } = inventory.readings().roster;
  if (problem !== null)
    return failed('roster', problem, 'agents are shown by the last roster that could be read', `mend ${path}`);
  const [first, ...more] = warnings;
  if (first !== undefined)
    return warning(
      'roster',
      `${first}${more.length === 0 ? '' : ` (and ${counted(more.length, 'more file')})`}`,
      'what is wrong there counts for nothing',
      'mend it; a launch reads the same file',
    );
  return ok(
    'roster',
    held === null
      ? `none at ${path}: every session is unmanaged`
      : `${counted(held.agents.length, 'agent')} in ${path}`,
  );
};

/** Entries without unit; units without entry, which return at boot; sessions without entry. */
export const rosterAgainstUnits = (options: DiagnoseOptions): Finding[] => {
  const { inventory, config } = options;
  const { systemd, roster: reading } = inventory.readings();
  const managed = inventory.rows.filter((row) => row.managed);
  const sessions = inventory.rows.filter((row) => !row.managed).map(({ agent }) => agent);
  const found = sessions.length === 0 ? [] : [ok('UNMANAGED', `${few(sessions)}: in no roster, watched all the same`)];
  if (config.paths.isolated) return found;
  if (systemd.problem !== null) return [...found, unknown('roster units', 'no user manager to compare with')];
  const bare = managed.filter(({ unit }) => unit === null).map(({ agent }) => agent);
  if (bare.length > 0) {
    const why = 'nothing can start or restart them, and after a reboot they are gone';
    found.push(warning('no unit', `${few(bare)}: in the roster, without a unit`, why, 'fleet apply makes it'));
  }
  // A roster that cannot be read says of no unit that it should not be.
  if (reading.problem !== null) return found;
  const names = new Set(managed.map(({ agent }) => agent));
  const returning = bootAgents(options.home, systemd.units.values()).filter((agent) => !names.has(agent));
  if (returning.length > 0) {
    const units = returning.map(agentUnit).join(' ');
    const why = 'in no roster of this host, and enabled: they return at the next boot';
    const mend = `systemctl --user disable ${units}; or put them into ${reading.path}`;
    found.push(warning('returns at boot', few(returning), why, mend));
  }
  return found;
};

/** Which env file outranks which key: a launch obeys the env file. */
export const overrides = async ({ inventory, config }: DiagnoseOptions): Promise<Finding[]> => {
  // The inventory holds the roster with the sockets of env files in it already.
  const { path, file } = await findRoster(config.paths.mosaicHome);
  const written = file.kind === 'text' ? parseRoster(file.text, path).roster : null;
  const { env } = inventory.readings().roster;
  return inventory.rows.flatMap((row) => {
    const wanted = row.managed ? written?.agents.find(({ name }) => name === row.agent) : undefined;
    if (!wanted) return [];
    const outranked = overridesOf(wanted, row, env.get(row.agent) ?? null).filter(({ by }) => by === 'env');
    if (outranked.length === 0) return [];
    const words = outranked.map(({ field, roster: said, holds }) => `${field} ${holds} (roster: ${said ?? 'none'})`);
    const envFile = join('agents', `${row.agent}.env`);
    return [
      warning(
        'env override',
        `${row.agent}: ${words.join(', ')}`,
        `${envFile} outranks ${basename(path)}, and a launch obeys it`,
        `nothing, if that is meant; else take it out of ${envFile}`,
      ),
    ];
  });
};
