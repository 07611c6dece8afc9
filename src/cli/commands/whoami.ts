import { cleanText } from '../../domain/clean-text.ts';
import { askHostAgent } from '../ask.ts';
import { whoAmI } from '../client/methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';

const DEADLINE_MS = 5_000;

export const run = async ({ paths, flags, stdout, signal }: CommandContext): Promise<number> => {
  const answer = await askHostAgent(paths, whoAmI, { pid: process.pid }, { deadlineMs: DEADLINE_MS, signal });
  const { caller, cell, host, user, version, upstream, verbs, session } = answer;
  if (flags.output === 'json') {
    const identity = { name: caller?.name ?? null, role: caller?.role ?? null, kind: caller?.kind ?? null };
    const controller = upstream
      ? { state: upstream.state, address: upstream.address, reason: upstream.reason ?? null }
      : null;
    const document = { schema: 'fleet.whoami/v1', cell, host, user, tenant_id: caller?.tenantId ?? null };
    stdout.write(`${jsonText({ ...document, ...identity, version, session: session ?? null, controller, verbs })}\n`);
    return EXIT.done;
  }
  const lines: [string, string][] = [
    ['you', caller ? `${caller.name} (${caller.role}, proved as ${caller.kind})` : `${user}, not known to a cell`],
    ['session', sessionWords(session)],
    ['tenant', caller?.tenantId || '-'],
    ['cell', cell || '-'],
    ['host', `${host}, host-agent of ${user}, version ${version}`],
    ['controller', controllerWords(upstream)],
    ['may', verbs.length > 0 ? verbs.join(' ') : 'nothing at the controller'],
  ];
  stdout.write(lines.map(([name, value]) => `${name.padEnd(10)}  ${cleanText(value)}\n`).join(''));
  return EXIT.done;
};

const sessionWords = (session: string | undefined): string =>
  session === undefined ? '-' : session === 'operator' ? 'outside every agent’s pane' : session;

const controllerWords = (
  upstream: { state: string; address: string; reason?: string | undefined } | undefined,
): string => {
  if (!upstream || upstream.state === 'none') return 'none: this machine is in no cell';
  return `${upstream.address} ${upstream.state}${upstream.reason ? ` (${upstream.reason})` : ''}`.trim();
};
