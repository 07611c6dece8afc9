/**
 * Comes in: this machine, in whatever state. Goes out: a running controller and a host-agent that is enrolled
 * with it. Each step is skipped when its result is there already; sessions are never touched.
 */
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { counted } from '../../domain/counted.ts';
import { FleetError } from '../../domain/errors.ts';
import { authorityCell } from '../../identity/authority.ts';
import type { Paths } from '../../runtime/paths.ts';
import { dialWords } from '../controller/dial-words.ts';
import type { StartContext } from './choose-daemons.ts';
import { keepDaemonSetting, readDaemonSettings } from './daemon-settings.ts';
import { type Daemons, mustRun } from './daemons.ts';
import { isEnrolledWith } from './enrolled-with.ts';
import { type EnrolledAs, handOverToken, readEnrolment } from './enrolment.ts';
import { takingBack } from './first-start.ts';
import { askListen, askStatus, askToken, lookAtHosts } from './local-fleet.ts';
import { done, unchanged } from './steps.ts';
import { waitUntil } from './wait-until.ts';

const START_TIMEOUT_MS = 30_000;
/** How long a controller that runs may leave a first question open before it counts as there. */
const SLOW_MS = 10_000;

interface ControllerOptions {
  cell?: string;
  listen?: string;
  port?: number;
}

/** Where a first start fails, what it made is taken back. */
export const startController = (context: StartContext, daemons: Daemons, options: ControllerOptions): Promise<void> =>
  takingBack(context.paths, daemons, () => bringUpController(context, daemons, options));

const bringUpController = async (
  { paths, steps, signal }: StartContext,
  daemons: Daemons,
  options: ControllerOptions,
): Promise<void> => {
  await steps.run('controller', async () => {
    const standing = await cellHere(paths);
    requireCell(standing, options.cell);
    // Read when it makes its authority; later its name is fixed.
    if (options.cell && standing === null) await keepDaemonSetting(paths, 'controller', 'FLEET_CELL', options.cell);
    // Read when it first opens one; later its port is fixed, since hosts dial it.
    const isAsked = options.port !== undefined && !(await isThere(paths, daemons, signal));
    const { FLEET_PORT: portBefore = null } = await readDaemonSettings(paths, 'controller');
    if (isAsked) await keepDaemonSetting(paths, 'controller', 'FLEET_PORT', String(options.port));
    const outcome = await daemons.ensure('controller', { restart: isAsked });
    const answer = async () => {
      await mustRun(daemons, 'controller');
      return askStatus(paths, 2_000);
    };
    const status = await waitUntil('the controller did not answer', answer, {
      timeoutMs: START_TIMEOUT_MS,
      signal,
      hint: daemons.logHint('controller'),
    });
    const refusal = refusalOf(status, options);
    if (refusal !== null) {
      // A refusal changes nothing.
      if (isAsked) await keepDaemonSetting(paths, 'controller', 'FLEET_PORT', portBefore);
      if (isAsked && outcome === 'started') await daemons.stop('controller');
      throw new FleetError('FAILED_PRECONDITION', refusal);
    }
    const text = `cell ${status.cell}, listening on ${status.listening.join(', ')} (${daemons.how})`;
    return outcome === 'unchanged' ? unchanged(text) : done(`${outcome}: ${text}`);
  });
  const { listen: address } = options;
  if (address === undefined) return;
  await steps.run('listen', async () => {
    const answer = await askListen(paths, { address, advertise: [] });
    const text = `${answer.listening.join(', ')}; hosts dial ${dialWords(answer.listening, answer.advertised)}`;
    return answer.opened ? done(`opened ${text}`) : unchanged(text);
  });
};

/** Of the authority that this user's controller has, running or not; null where there is none. */
const cellHere = (paths: Paths): Promise<string | null> => authorityCell(join(paths.state, 'controller'));

const requireCell = (cell: string | null, asked: string | undefined): void => {
  if (cell === null || !asked || cell === asked) return;
  throw new FleetError('FAILED_PRECONDITION', otherCell(cell));
};

const otherCell = (cell: string): string => `this controller's cell is ${cell} and keeps its name: leave out --cell`;

/** Before anything is changed. Throws FAILED_PRECONDITION for another name than the one that stands. */
export const refuseOtherCell = async (paths: Paths, asked: string | undefined): Promise<void> =>
  requireCell(asked ? await cellHere(paths) : null, asked);

const refusalOf = (
  { cell, listening }: { cell: string; listening: readonly string[] },
  asked: { cell?: string; port?: number },
): string | null => {
  if (asked.cell && cell !== asked.cell) return otherCell(cell);
  if (!asked.port || listening.some((address) => address.endsWith(`:${asked.port}`))) return null;
  return `this controller listens on ${listening.join(', ')} and keeps its port: leave out --port`;
};

/** It answers, or its process runs and is slow: false only where nothing runs, or not for long. */
const isThere = async (paths: Paths, daemons: Daemons, signal: AbortSignal): Promise<boolean> => {
  const look = async (): Promise<boolean | null> => {
    try {
      await askStatus(paths, 2_000);
      return true;
    } catch (error) {
      // Somebody took the question.
      if (error instanceof FleetError && error.code === 'DEADLINE_EXCEEDED') return null;
      return (await daemons.isRunning('controller')) ? null : false;
    }
  };
  try {
    return await waitUntil('the controller did not answer', look, { timeoutMs: SLOW_MS, signal });
  } catch (error) {
    if (error instanceof FleetError && error.code === 'DEADLINE_EXCEEDED') return true;
    throw error;
  }
};

/** Starts the host-agent; `token` is asked for when it has no identity in this cell yet. */
export const startHostAgent = async (
  { paths, steps, signal }: StartContext,
  daemons: Daemons,
  options: { name?: string; replace: boolean },
): Promise<EnrolledAs> => {
  const status = await askStatus(paths);
  const { cell } = status;
  const before = await readEnrolment(paths);
  const isOurs = before !== null && isEnrolledWith(before, status);
  if (before && isOurs && options.name && before.host !== options.name) {
    throw new FleetError(
      'FAILED_PRECONDITION',
      `this host is enrolled as ${before.host}: fleet host rm ${before.host} --forget, then fleet up --name ${options.name}`,
    );
  }
  if (!isOurs) {
    await steps.run('enrol', async () => {
      const host = options.name ?? hostname();
      const user = userInfo().username;
      const token = await askToken(paths, { host, user, tenantId: '', replace: options.replace });
      await handOverToken(paths, { token, addresses: [] });
      return done(`as ${host}/${user} in cell ${cell}, with a token for one use`);
    });
  }
  await steps.run('host-agent', async () => {
    const outcome = await daemons.ensure('host-agent');
    return outcome === 'unchanged' ? unchanged(`running (${daemons.how})`) : done(`${outcome} (${daemons.how})`);
  });
  // What it holds of the cell that it left would stay in its view.
  if (before !== null && !isOurs) await restartOnceEnrolled(paths, daemons, status, signal);
  return steps.run('ready', async () => {
    const [enrolled, agents] = await waitUntil(
      'the host-agent did not connect to the controller',
      async () => {
        await mustRun(daemons, 'host-agent');
        const now = await readEnrolment(paths);
        if (now === null || !isEnrolledWith(now, status)) return null;
        const { hosts, upstreamState } = await lookAtHosts(paths, { hostsOnly: true });
        const here = hosts.find((host) => host.here && host.link.state === 'connected');
        return here && upstreamState === 'connected' ? ([now, here.facts?.agents ?? 0] as const) : null;
      },
      { timeoutMs: START_TIMEOUT_MS, signal, hint: daemons.logHint('host-agent') },
    );
    return [unchanged(`${enrolled.host} is connected, ${counted(agents, 'agent')}`), enrolled];
  });
};

/** For a host-agent that changes cells: waits until it took the token, then starts it as that new identity. */
const restartOnceEnrolled = async (
  paths: Paths,
  daemons: Daemons,
  controller: { fingerprint: string },
  signal: AbortSignal,
): Promise<void> => {
  const taken = async () => {
    await mustRun(daemons, 'host-agent');
    const now = await readEnrolment(paths);
    return now !== null && isEnrolledWith(now, controller) ? now : null;
  };
  await waitUntil('the token was not taken', taken, {
    timeoutMs: START_TIMEOUT_MS,
    signal,
    hint: daemons.logHint('host-agent'),
  });
  await daemons.ensure('host-agent', { restart: true });
};

/** Where this user belongs to a controller elsewhere: only the host-agent, and whether it reaches it. */
export const startHostAgentOnly = async (
  { paths, steps, signal }: StartContext,
  daemons: Daemons,
  enrolled: EnrolledAs,
): Promise<void> => {
  await steps.run('host-agent', async () => {
    const outcome = await daemons.ensure('host-agent');
    const answer = async () => {
      await mustRun(daemons, 'host-agent');
      return lookAtHosts(paths, { hostsOnly: true });
    };
    await waitUntil('the host-agent did not answer', answer, {
      timeoutMs: START_TIMEOUT_MS,
      signal,
      hint: daemons.logHint('host-agent'),
    });
    const text = `${enrolled.host} of cell ${enrolled.cell}, whose controller is elsewhere (${daemons.how})`;
    return outcome === 'unchanged' ? unchanged(text) : done(`${outcome}: ${text}`);
  });
};
