import { cleanText } from '../../domain/clean-text.ts';
import { OPERATOR_SESSION } from '../../domain/sender.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { WhoAmIResponse } from '../../wire/gen/fleet/v1/view.ts';
import { askHostAgent } from '../ask.ts';
import { whoAmI } from '../client/methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';

const DEADLINE_MS = 5_000;

export const run = async ({ paths, flags, stdout, signal }: CommandContext): Promise<number> => {
  const answer = await askHostAgent(paths, whoAmI, { pid: process.pid }, { deadlineMs: DEADLINE_MS, signal });
  const { caller, cell, host, user, version, upstream, session } = answer;
  const verbs = verbsOf(answer);
  if (flags.output === 'json') {
    const identity = { name: caller?.name ?? null, role: caller?.role ?? null, kind: caller?.kind ?? null };
    const controller = upstream
      ? { state: upstream.state, address: upstream.address, reason: upstream.reason ?? null }
      : null;
    const place = { cell: cell || null, host: host || null, user: user || null };
    const document = { schema: 'fleet.whoami/v1', ...place, tenant_id: caller?.tenantId ?? null };
    const told = {
      ...document,
      ...identity,
      version,
      session: session ?? null,
      controller,
      verbs,
      elsewhere: elsewhereOf(answer),
    };
    stdout.write(`${jsonText({ ...told, tenants: tenantsOf(answer), context: paths.context })}\n`);
    return EXIT.done;
  }
  stdout.write(
    whoAmILines(paths, answer)
      .map((line) => `${cleanText(line)}\n`)
      .join(''),
  );
  return EXIT.done;
};

export const whoAmILines = ({ context }: Paths, answer: WhoAmIResponse): string[] =>
  (context === null ? linesHere(answer) : linesElsewhere(context, answer)).map(
    ([name, value]) => `${name.padEnd(10)}  ${value}`,
  );

const linesElsewhere = (context: string, answer: WhoAmIResponse): [string, string][] => {
  const { caller, cell, version } = answer;
  return [
    ['you', caller ? `${caller.name} (${caller.role}, proved as ${caller.kind})` : 'not known to the cell'],
    ['tenant', tenantsOf(answer)?.join(' ') ?? 'all'],
    ['cell', cell],
    ['context', `${context}, controller version ${version}`],
    ['may', verbsOf(answer).join(' ') || 'nothing'],
  ];
};

const linesHere = (answer: WhoAmIResponse): [string, string][] => {
  const { caller, cell, host, user, version, upstream, session } = answer;
  const verbs = verbsOf(answer);
  return [
    ['you', caller ? `${caller.name} (${caller.role}, proved as ${caller.kind})` : `${user}, not known to a cell`],
    ['session', sessionWords(session)],
    ['tenant', caller?.tenantId || '-'],
    ['cell', cell || '-'],
    ['host', `${host}, host-agent of ${user}, version ${version}`],
    ['controller', controllerWords(upstream)],
    ['may', verbs.length > 0 ? verbs.join(' ') : 'nothing at the controller'],
    ...elsewhereLine(answer),
  ];
};

/** Every agent of a host can call as its user: what it may do there is not what it may do to others. */
const elsewhereLine = (answer: WhoAmIResponse): [string, string][] => {
  const verbs = elsewhereOf(answer);
  if (verbs === null) return [];
  const words =
    verbs.length > 1 ? verbs.join(' ') : `read; an administrator widens it: fleet host allow ${answer.host}`;
  return [['elsewhere', words]];
};

/** Whose agents exist for the caller; null: everybody's. */
const tenantsOf = ({ tenants, caller }: WhoAmIResponse): string[] | null =>
  tenants.length > 0 ? tenants : caller?.role === 'admin' || !caller?.tenantId ? null : [caller.tenantId];

/** null: whoever is no host may the same everywhere; a controller of before does not say. */
const elsewhereOf = ({ verbs, elsewhere }: WhoAmIResponse): string[] | null =>
  elsewhere.length > 0 && verbs.includes('read') ? elsewhere : null;

/** Renewing a certificate is nothing that anybody types. */
const verbsOf = ({ verbs }: WhoAmIResponse): string[] => verbs.filter((verb) => verb !== 'enroll' && verb !== 'report');

const sessionWords = (session: string | undefined): string =>
  session === undefined ? '-' : session === OPERATOR_SESSION ? 'outside every agent’s pane' : session;

const controllerWords = (
  upstream: { state: string; address: string; reason?: string | undefined } | undefined,
): string => {
  if (!upstream || upstream.state === 'none') return 'none: this machine is in no cell';
  return `${upstream.address} ${upstream.state}${upstream.reason ? ` (${upstream.reason})` : ''}`.trim();
};
