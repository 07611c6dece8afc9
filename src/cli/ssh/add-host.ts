/**
 * Comes in: a machine that ssh reaches, in whatever state. Goes out: its host-agent, installed, enrolled, and its
 * first rows. Each step looks before it acts, so that a second run changes nothing and a broken one can be repeated.
 */
import { createHash } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import type { ControlLevel, HostAgent } from '../../domain/host-agent.ts';
import { isIdentityName } from '../../identity/spiffe-id.ts';
import { formatToken, parseToken } from '../../identity/token.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { ControllerStatusResponse } from '../../wire/gen/fleet/v1/admin_messages.ts';
import { isEnrolledWith } from '../install/enrolled-with.ts';
import { type EnrolledAs, handedTokenText, parseEnrolment } from '../install/enrolment.ts';
import { askListen, askStatus, askToken, lookAtCell, type SeenHosts } from '../install/local-fleet.ts';
import type { ShippedVersion } from '../install/shipped-version.ts';
import { done, type Steps, unchanged, would } from '../install/steps.ts';
import { UserManager } from '../install/user-manager.ts';
import { daemonUnitText, HOST_AGENT_UNIT } from '../install/user-units.ts';
import { waitUntil } from '../install/wait-until.ts';
import { UsageError } from '../usage-error.ts';
import { knownRuntimeId, runtimeArchive, versionArchive } from './archives.ts';
import { candidateAddresses, isBeyondLoopback, loopbackAddress, portOf } from './candidate-addresses.ts';
import { architectureOf, type MachineFacts, obstacles, parseFacts, systemNode } from './preflight.ts';
import { askReach } from './reach-check.ts';
import { remoteScript, shellQuoted } from './remote-script.ts';
import type { SshSession } from './ssh-session.ts';
import { ensureTunnel, hasTunnel, tunnelKeyLine, tunnelMark, tunnelName, tunnelUnit, uplinkSocket } from './tunnel.ts';
import { mebibytes, upload } from './upload.ts';

const SCRIPT_TIMEOUT_MS = 30_000;
const JOIN_TIMEOUT_MS = 90_000;
const ROWS_TIMEOUT_MS = 30_000;
/** Node.js of the machine itself: its folder holds only a link. */
const SYSTEM_RUNTIME = 'node-of-this-machine';

export interface AddOptions {
  name: string | undefined;
  tenant: string | undefined;
  control: ControlLevel | undefined;
  link: 'auto' | 'dial' | 'ssh';
  listen: string | undefined;
  advertise: readonly string[];
  replace: boolean;
  dryRun: boolean;
}

export interface AddContext {
  paths: Paths;
  shipped: ShippedVersion;
  steps: Steps;
  session: SshSession;
  options: AddOptions;
  signal: AbortSignal;
}

/** What is known of the machine before anything is changed. */
export interface Survey {
  facts: MachineFacts;
  controller: ControllerStatusResponse;
  /** Name in the cell. */
  host: string;
  /** null: enrolled nowhere, or with another controller that `--replace` leaves. */
  enrolled: EnrolledAs | null;
}

export const survey = async (context: AddContext, controller: ControllerStatusResponse): Promise<Survey> =>
  context.steps.run('preflight', async () => {
    const { session, signal, options } = context;
    const answer = await session.run(remoteScript('preflight'), { timeoutMs: SCRIPT_TIMEOUT_MS, signal });
    const facts = parseFacts(answer.stdout);
    const found = obstacles(facts);
    if (found.length > 0) throw new FleetError('FAILED_PRECONDITION', found.join('; '));
    const present = facts.identity ? parseEnrolment(facts.identity, 'its identity') : null;
    const isOurs = present !== null && isEnrolledWith(present, controller);
    if (present && !isOurs && !options.replace) {
      throw new FleetError(
        'FAILED_PRECONDITION',
        `it is ${present.host} of another cell (${present.cell}): --replace takes it over`,
      );
    }
    if (present && isOurs && options.name && present.host !== options.name) {
      throw new FleetError(
        'FAILED_PRECONDITION',
        `it is enrolled as ${present.host}: fleet host rm ${present.host}, then add it as ${options.name}`,
      );
    }
    if (options.name !== undefined && !isIdentityName(options.name)) {
      throw new UsageError(`--name ${options.name}: use 1 to 64 of A-Z a-z 0-9 . _ -`);
    }
    const host = options.name ?? (present && isOurs ? present.host : facts.hostname);
    const skew = Math.round(facts.clock_seconds - Date.now() / 1000);
    const text = [
      facts.tmux,
      `${facts.machine} ${facts.libc || 'no glibc'}`,
      facts.user_manager ? 'user manager' : 'no user manager',
      ...(Math.abs(skew) > 5 ? [`clock ${skew > 0 ? '+' : ''}${skew}s`] : []),
      ...(facts.disk_kib === null ? [] : [`${mebibytes(facts.disk_kib * 1024)} free`]),
    ].join(', ');
    return [unchanged(text), { facts, controller, host, enrolled: isOurs ? present : null }];
  });

/** Node.js and our bundle into the machine's home. */
export const install = async (context: AddContext, { facts }: Survey): Promise<void> => {
  const { paths, shipped, steps, session, options, signal } = context;
  const cache = join(paths.share, 'cache');
  const arch = architectureOf(facts) as 'x64' | 'arm64';
  const runtime = await steps.run('node', async (progress) => {
    const own = systemNode(facts);
    if (own) {
      if (facts.runtimes.includes(SYSTEM_RUNTIME)) return [unchanged(`its own, ${own}`), SYSTEM_RUNTIME];
      if (options.dryRun) return [would(`use its own, ${own}`), SYSTEM_RUNTIME];
      const script = remoteScript('link-runtime', { ID: SYSTEM_RUNTIME, NODE: own });
      await must(session.run(script, { timeoutMs: SCRIPT_TIMEOUT_MS, signal }), 'its own Node.js does not run');
      return [done(`uses its own, ${own}`), SYSTEM_RUNTIME];
    }
    const known = await knownRuntimeId(shipped, arch, cache);
    if (known && facts.runtimes.includes(known)) return [unchanged(known), known];
    if (options.dryRun) return [would(`upload Node.js for ${arch}`), known ?? ''];
    progress('preparing');
    const archive = await runtimeArchive(shipped, arch, cache);
    if (facts.runtimes.includes(archive.id)) return [unchanged(archive.id), archive.id];
    await upload(session, archive, { kind: 'runtime', runtime: '', signal, progress });
    return [done(`uploaded ${archive.id}, ${mebibytes(archive.bytes)}, checksum right`), archive.id];
  });
  await steps.run('fleet', async (progress) => {
    if (facts.versions.includes(shipped.id)) return unchanged(shipped.id);
    if (options.dryRun) return would(`upload ${shipped.id}`);
    const archive = await versionArchive(shipped, cache);
    await upload(session, archive, { kind: 'version', runtime, signal, progress });
    return done(`uploaded ${shipped.id}, ${mebibytes(archive.bytes)}, checksum right`);
  });
};

export interface Uplink {
  via: 'dial' | 'ssh';
  /** For the token, best first; `unix:` for a tunnel. */
  addresses: string[];
}

/** Finds an address that this machine reaches and that proves to be our controller; else a tunnel. */
export const chooseUplink = async (context: AddContext, found: Survey): Promise<Uplink> => {
  const { steps, options } = context;
  if (options.link === 'ssh') return openTunnel(context, found, 'asked for');
  const listening = await openController(context, found.controller);
  const answer = await steps.run('reach', async () => {
    const candidates = candidateAddresses({
      advertised: [...options.advertise, ...found.controller.advertised],
      sshConnection: found.facts.ssh_connection,
      interfaces: networkInterfaces(),
      port: portOf(listening[0]),
    });
    if (options.dryRun) return [would(`try ${candidates.join(', ')}`), { reached: candidates, why: '' }];
    const result = await askReach(context.session, context.shipped.id, found.controller, candidates, context.signal);
    if (result.reached.length > 0)
      return [unchanged(`it reaches the controller at ${result.reached.join(', ')}`), result];
    if (options.link === 'dial')
      throw new FleetError('UNAVAILABLE', `it reaches the controller nowhere: ${result.why}`);
    return [unchanged(`no dial works (${result.why}): the uplink rides ssh`), result];
  });
  if (answer.reached.length === 0) return openTunnel(context, found, 'no dial works');
  if (!options.dryRun) await askListen(context.paths, { address: listening[0] as string, advertise: answer.reached });
  return { via: 'dial', addresses: answer.reached };
};

const openController = async (context: AddContext, controller: ControllerStatusResponse): Promise<string[]> => {
  const { steps, options, paths } = context;
  const { listening } = controller;
  if (isBeyondLoopback(listening) && options.listen === undefined) return listening;
  return steps.run('listen', async () => {
    const wanted = options.listen ?? 'all interfaces';
    if (options.dryRun) return [would(`open the controller on ${wanted}`), listening];
    const answer = await askListen(paths, { address: options.listen ?? '', advertise: [...options.advertise] });
    const text = `controller listens on ${answer.listening.join(', ')}, mutual TLS only`;
    return [answer.opened ? done(`opened: ${text}`) : unchanged(text), answer.listening];
  });
};

/** Also for a host that has one: brings its unit and key line up to date. */
export const openTunnel = async (context: AddContext, found: Survey, why: string): Promise<Uplink> => {
  const { steps, options, paths, session, signal } = context;
  const remoteSocket = uplinkSocket(found.facts);
  const uplink: Uplink = { via: 'ssh', addresses: [`unix:${remoteSocket}`] };
  await steps.run('tunnel', async () => {
    if (options.dryRun) return would(`reverse ssh tunnel from here (${why})`);
    const controller = loopbackAddress(found.controller.listening);
    if (!controller) throw new FleetError('FAILED_PRECONDITION', 'the controller listens on no loopback address');
    const name = tunnelName(found.host, found.facts.user);
    const ends = { name, cell: found.controller.cell, target: session.target, remoteSocket, controller };
    const line = await tunnelKeyLine(paths, ends);
    const values = { LINE: line, MARK: tunnelMark(ends.cell, name) };
    const authorized = await must(
      session.run(remoteScript('authorize', values), { timeoutMs: SCRIPT_TIMEOUT_MS, signal }),
      'its authorized_keys cannot be written',
    );
    const manager = new UserManager();
    const isManaged = paths.instance === null && (await manager.isReachable());
    const loop = join(context.shipped.root, 'lib/remote/tunnel.sh');
    const outcome = await ensureTunnel(paths, ends, { manager: isManaged ? manager : null, loop });
    const wait = remoteScript('wait-socket', { SOCKET: remoteSocket, TRIES: '100' });
    const up = await session.run(wait, { timeoutMs: SCRIPT_TIMEOUT_MS, signal });
    if (up.exitCode !== 0) {
      throw new FleetError('UNAVAILABLE', `the tunnel does not come up: see journalctl --user -u ${tunnelUnit(name)}`);
    }
    const text = `${remoteSocket} there is ${controller} here (${why})`;
    return outcome === 'unchanged' && authorized.stdout === '' ? unchanged(text) : done(`${outcome}: ${text}`);
  });
  return uplink;
};

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
      'UNAVAILABLE',
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
    return [unchanged(`${found.host} is connected, ${facts?.agents ?? 0} agents`), seen];
  });
};

/** Which way the enrolled host's uplink goes, as far as this side knows. */
export const presentVia = async (paths: Paths, { host, facts }: Survey): Promise<'dial' | 'ssh'> =>
  (await hasTunnel(paths, tunnelName(host, facts.user))) ? 'ssh' : 'dial';

export const askController = (paths: Paths): Promise<ControllerStatusResponse> => askStatus(paths);

const must = async <T extends { exitCode: number | null; stderr: string }>(
  run: Promise<T>,
  what: string,
): Promise<T> => {
  const result = await run;
  if (result.exitCode === 0) return result;
  throw new FleetError(
    'FAILED_PRECONDITION',
    `${what}: ${result.stderr.trim().split('\n').at(-1) ?? 'no reason given'}`,
  );
};
