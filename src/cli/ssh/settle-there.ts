/** The far side's own `fleet` brings its units, linger, policy and enrolment in order; its steps are shown here. */
import { createHash } from 'node:crypto';
import { counted } from '../../domain/counted.ts';
import { FleetError } from '../../domain/errors.ts';
import type { HostAgent } from '../../domain/host-agent.ts';
import { handedTokenText } from '../../identity/handed-token.ts';
import { formatToken, parseToken } from '../../identity/token.ts';
import type { Paths } from '../../runtime/paths.ts';
import { shellQuoted } from '../../runtime/quote.ts';
import { errorCodeOf } from '../exit-codes.ts';
import { askToken, lookAtCell, type SeenHosts } from '../install/local-fleet.ts';
import { unchanged, would } from '../install/steps.ts';
import { daemonUnitText, HOST_AGENT_UNIT } from '../install/user-units.ts';
import { waitUntil } from '../install/wait-until.ts';
import type { AddContext, AddOptions, Survey } from './add-context.ts';
import type { Uplink } from './choose-uplink.ts';
import { remoteScript } from './remote-script.ts';

const JOIN_TIMEOUT_MS = 90_000;
const ROWS_TIMEOUT_MS = 30_000;

/** Whether what is installed there runs this version under the same unit, enrolled here. */
export const isSettled = ({ shipped, options }: AddContext, { facts, enrolled }: Survey): boolean => {
  const unit = createHash('sha256').update(daemonUnitText(HOST_AGENT_UNIT, shipped.id)).digest('hex');
  return (
    enrolled !== null &&
    facts.current === shipped.id &&
    // A detached process is known only to the far side's own lock: let it look.
    facts.user_manager &&
    facts.unit_sha256 === unit &&
    facts.unit_active === 'active' &&
    !facts.upgrading &&
    (options.control === undefined || controlOf(facts.policy) === options.control)
  );
};

const controlOf = (policy: string): unknown => {
  try {
    return (JSON.parse(policy) as { control?: unknown }).control;
  } catch {
    return null;
  }
};

/** The far side's own `fleet` does the rest: units, linger, policy, enrolment. Its steps are shown as they come. */
export const settle = async (context: AddContext, found: Survey, uplink: Uplink | null): Promise<void> => {
  const { paths, shipped, steps, session, options, signal } = context;
  const control = options.control === undefined ? [] : ['--control', options.control];
  const verb =
    uplink === null ? ['up', ...control] : ['host', 'join', ...control, ...(options.replace ? ['--replace'] : [])];
  if (options.dryRun) {
    await steps.run('start', async () =>
      would(uplink === null ? 'start this version' : `enrol as ${found.host} and start`),
    );
    return;
  }
  const values = { ID: shipped.id, ARGS: verb.map(shellQuoted).join(' ') };
  let last = '';
  const result = await session.run(remoteScript('run-fleet', values), {
    timeoutMs: JOIN_TIMEOUT_MS,
    signal,
    input: uplink === null ? '' : await handedText(paths, found, uplink, options),
    onStderrLine: (line) => {
      if (/^fleet: /.test(line)) last = line.slice('fleet: '.length);
      else steps.relay(line);
    },
  });
  if (result.exitCode !== 0) {
    throw new FleetError(
      errorCodeOf(result.exitCode),
      `${found.host}: ${last || `fleet ${verb[0]} ended with ${result.exitCode} there`}`,
    );
  }
};

const handedText = async (paths: Paths, found: Survey, uplink: Uplink, options: AddOptions): Promise<string> => {
  const asked = { host: found.host, user: found.facts.user, tenantId: options.tenant ?? '', replace: options.replace };
  const token = parseToken(await askToken(paths, asked));
  const dialled = uplink.addresses.filter((address) => !address.startsWith('unix:'));
  const addresses = [...new Set([...dialled, ...(uplink.via === 'dial' ? [] : token.addresses)])];
  const others = uplink.addresses.filter((address) => address.startsWith('unix:'));
  return handedTokenText({ token: formatToken({ ...token, addresses }), addresses: others });
};

/** Until the controller holds this host's rows as current. */
export const awaitRows = async (context: AddContext, found: Survey): Promise<SeenHosts | null> => {
  const { paths, steps, options, signal } = context;
  if (options.dryRun) return null;
  const isIt = (host: HostAgent) => host.host === found.host && host.user === found.facts.user;
  return steps.run('rows', async () => {
    const seen = await waitUntil(
      `${found.host} did not report`,
      async () => {
        const now = await lookAtCell(paths);
        const host = now.hosts.find(isIt);
        return host?.link.state === 'connected' && host.facts !== null ? now : null;
      },
      { timeoutMs: ROWS_TIMEOUT_MS, signal, hint: `fleet doctor ${found.host}` },
    );
    const { facts } = seen.hosts.find(isIt) as HostAgent;
    return [unchanged(`${found.host} is connected, ${counted(facts?.agents ?? 0, 'agent')}`), seen];
  });
};
