/** What `ps` and `hosts` were asked for, from their flags. Throws UsageError where flags contradict each other. */
import { type AgentFilter, comparatorOf, type SortKey } from '../domain/agent-filter.ts';
import { FleetError } from '../domain/errors.ts';
import type { CommandContext } from './command.ts';
import type { Picture, PictureOptions } from './picture.ts';
import { UsageError } from './usage-error.ts';

export type Form = 'table' | 'wide' | 'json' | 'ndjson' | 'name';

export interface ViewRequest extends PictureOptions {
  form: Form;
  /** `screen` redraws a terminal, `feed` writes a line for each change. */
  mode: 'once' | 'screen' | 'feed';
  strict: boolean;
}

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

/** Throws NOT_FOUND for a cell that was named and is not there: an empty table would say that it has no agents. */
export const checkNamedCells = (filter: AgentFilter, picture: Picture, known: readonly string[]): void => {
  const all = [...new Set([picture.cell, ...known])];
  const unknown = filter.cells.find((cell) => !all.includes(cell));
  if (unknown !== undefined) {
    throw new FleetError('NOT_FOUND', `no cell "${unknown}" in this view; known: ${all.join(', ')}`);
  }
};

/** The same for a host. */
export const checkNamedHosts = (filter: AgentFilter, picture: Picture, known: readonly string[]): void => {
  for (const host of filter.hosts) {
    if (known.includes(host)) continue;
    const others = known.length > 0 ? `known: ${known.join(', ')}` : 'none is known';
    const doubt = picture.localOnly ? '; --local shows this machine only' : '';
    throw new FleetError('NOT_FOUND', `no host "${host}" in this view; ${others}${doubt}`);
  }
};

/** The same for a tenant; one without a host looks like one that is not there, to everybody. */
export const checkNamedTenants = (filter: AgentFilter, known: readonly string[]): void => {
  const unknown = filter.tenants.find((tenant) => !known.includes(tenant));
  if (unknown === undefined) return;
  const others = known.length > 0 ? `known: ${known.join(', ')}` : 'none is known';
  throw new FleetError('NOT_FOUND', `no host of tenant "${unknown}" in this view; ${others}`);
};
