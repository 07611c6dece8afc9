/** What `ps` and `hosts` were asked for, from their flags. Throws UsageError where flags contradict each other. */
import { type AgentFilter, comparatorOf, type SortKey } from '../domain/agent-filter.ts';
import { FleetError } from '../domain/errors.ts';
import type { CommandContext } from './command.ts';
import { isCutOff, type Picture, type PictureOptions } from './picture.ts';
import { UsageError } from './usage-error.ts';

export type Form = 'table' | 'wide' | 'json' | 'ndjson' | 'name';

export interface ViewRequest extends PictureOptions {
  form: Form;
  /** `screen` redraws a terminal, `feed` writes a line for each change. */
  mode: 'once' | 'screen' | 'feed';
  strict: boolean;
}

/** What the flags of a view ask for. Throws UsageError for flags that exclude each other. */
export const viewRequest = ({ flags, paths, stdout }: CommandContext): ViewRequest => {
  const form = flags.output as Form;
  if (flags.local === true && paths.context !== null) {
    throw new UsageError(`--local is this machine, and context ${paths.context} is asked: --context local asks it`);
  }
  const filter: AgentFilter = {
    cells: listOf(flags.cell),
    hosts: listOf(flags.host),
    tenants: listOf(flags.tenant),
    states: listOf(flags.state),
    flags: listOf(flags.flag),
    needsMe: flags['needs-me'] === true,
    includeStale: flags['include-stale'] === true,
  };
  return {
    form,
    mode: flags.watch === true ? watchMode(form, stdout.isTTY) : 'once',
    strict: flags.strict === true,
    filter,
    localOnly: flags.local === true,
    compare: comparatorOf((flags.sort as SortKey | undefined) ?? 'roster'),
  };
};

const listOf = (value: string | boolean | string[] | undefined): string[] => (Array.isArray(value) ? value : []);

const watchMode = (form: Form, isTerminal: boolean): 'screen' | 'feed' => {
  if (form === 'ndjson' || (form === 'table' && !isTerminal)) return 'feed';
  if (isTerminal && (form === 'table' || form === 'wide')) return 'screen';
  if (form === 'wide') throw new UsageError('-w -o wide draws on a terminal, and stdout is none: use -o ndjson');
  throw new UsageError(`-w writes one JSON object a line: use -o ndjson instead of -o ${form}`);
};

/**
 * Throws for a cell that was named and is not in the view, since an empty table would say that it has no agents:
 * UNAVAILABLE where the controller that may know it cannot be asked, NOT_FOUND otherwise.
 */
export const checkNamedCells = (filter: AgentFilter, picture: Picture, known: readonly string[]): void => {
  checkNamed('cell', filter.cells, picture, [...new Set([picture.cell, ...known])]);
};

/** The same for a host. */
export const checkNamedHosts = (filter: AgentFilter, picture: Picture, known: readonly string[]): void => {
  checkNamed('host', filter.hosts, picture, known);
};

/** The same for a tenant; one without a host looks like one that is not there, to everybody. */
export const checkNamedTenants = (filter: AgentFilter, picture: Picture, known: readonly string[]): void => {
  checkNamed('host of tenant', filter.tenants, picture, known);
};

const checkNamed = (what: string, named: readonly string[], picture: Picture, known: readonly string[]): void => {
  const unknown = named.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const others = known.length > 0 ? `known: ${known.join(', ')}` : 'none is known';
  if (isCutOff(picture)) {
    const words = `no ${what} "${unknown}" is known here, and the controller cannot be asked now; ${others}`;
    throw new FleetError('UNAVAILABLE', words);
  }
  const doubt = picture.localOnly ? '; --local shows this machine only' : '';
  throw new FleetError('NOT_FOUND', `no ${what} "${unknown}" in this view; ${others}${doubt}`);
};
