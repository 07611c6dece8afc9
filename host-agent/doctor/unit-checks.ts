/** Units as systemd has them against what lies on disk: what a reboot would bring back, and what is not read at all. */
import { HOLDER_UNIT } from '../../src/domain/holder.ts';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import type { UnitReading } from '../inventory/source.ts';
import { dropInsOf } from '../launch/drop-ins.ts';
import { isOurUnit } from '../launch/our-units.ts';
import type { DiagnoseOptions } from './diagnose-options.ts';
import { few, ok, warning } from './finding.ts';
import { unreadUnitFiles } from './unread-units.ts';

export const units = async (options: DiagnoseOptions): Promise<Finding[]> => {
  const { config, inventory } = options;
  const { problem } = inventory.readings().systemd;
  if (config.paths.isolated || problem !== null) return [];
  const manager = await options.manager;
  const found = [
    ...bootEnable(options, manager?.daemons ?? []),
    ...(await dropIns(options)),
    ...staleUnits([...inventory.readings().systemd.units.values(), ...(manager?.daemons ?? [])]),
    ...(manager === null ? [] : unreadUnitFiles(config.paths.mosaicHome, options.home, manager.unitPath)),
  ];
  return found.length > 0 ? found : [ok('units', 'what runs is enabled, and is what lies on disk')];
};

const isOnlyForNow = (unit: UnitReading): boolean => unit.activeState === 'active' && unit.unitFileState === 'disabled';

/** Agents' units as their rows are flagged; the holder, on which they lean; our own daemons. */
const bootEnable = ({ inventory }: DiagnoseOptions, daemons: readonly UnitReading[]): Finding[] => {
  const held = inventory.readings().systemd.units;
  const agents = inventory.rows.filter(({ flags, unit }) => flags.includes('BOOT-ENABLE') && unit !== null);
  const holder = held.get(HOLDER_UNIT);
  const leaning = [...(holder ? [holder] : []), ...daemons].filter(isOnlyForNow).map(({ name }) => name);
  const targets = [...new Set([...leaning, ...agents.flatMap(({ unit }) => unit?.name ?? [])])];
  if (targets.length === 0) return [];
  const what = [...leaning, ...agents.map(({ agent }) => agent)];
  const mend = `systemctl --user enable ${targets.join(' ')}`;
  return [
    warning('BOOT-ENABLE', few(what), 'after a reboot they will not come back', mend, { kind: 'enable-unit', targets }),
  ];
};

/** Of agents whose units fleet wrote: whoever wrote the unit knows of the drop-in. */
const dropIns = async ({ inventory, home }: DiagnoseOptions): Promise<Finding[]> => {
  const agents = inventory.rows.filter(({ managed, unit }) => managed && unit !== null).map(({ agent }) => agent);
  const told = await Promise.all(
    agents.map(async (agent) => ((await isOurUnit(home, agent)) ? await dropInsOf(home, agent) : [])),
  );
  const paths = [...new Set(told.flat())];
  if (paths.length === 0) return [];
  const touched = agents.filter((_, at) => (told[at] as string[]).length > 0);
  const why = 'systemd adds them to units that fleet wrote: what they set outranks what fleet set';
  return [
    warning('drop-in', `${few(paths)}: for ${few(touched)}`, why, 'nothing, if that is meant; else move them away'),
  ];
};

const staleUnits = (all: readonly UnitReading[]): Finding[] => {
  const stale = all.filter(({ needsReload }) => needsReload).map(({ name }) => name);
  if (stale.length === 0) return [];
  const why = 'systemd runs an older text of the unit than lies on disk';
  return [
    warning('STALE-UNIT', few(stale), why, 'systemctl --user daemon-reload', { kind: 'reload-units', targets: [] }),
  ];
};
