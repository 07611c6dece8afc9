/**
 * One host to this version over ssh: brought there, switched to, and kept once the controller hears it; else the host
 * runs again what it ran. Its sessions go on all the while.
 */

import { counted } from '../../domain/counted.ts';
import { FleetError } from '../../domain/errors.ts';
import type { HostAgent } from '../../domain/host-agent.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { ControllerStatusResponse } from '../../wire/gen/fleet/v1/admin_messages.ts';
import { isEnrolledWith } from '../install/enrolled-with.ts';
import { parseEnrolment } from '../install/enrolment.ts';
import { lookAtCell } from '../install/local-fleet.ts';
import type { ShippedVersion } from '../install/shipped-version.ts';
import { done, type Steps, unchanged, warning, would } from '../install/steps.ts';
import { GivenUp, waitUntil } from '../install/wait-until.ts';
import { SCRIPT_TIMEOUT_MS } from './add-context.ts';
import { installThere } from './install-there.ts';
import { type MachineFacts, obstacles, parseFacts } from './preflight.ts';
import { remoteScript } from './remote-script.ts';
import { openSsh, type SshSession } from './ssh-session.ts';
import { targetText } from './ssh-target.ts';
import type { UpgradeTarget } from './upgrade-targets.ts';
import type { HostTold } from './upgrade-told.ts';
import { unitSha256, VersionSwitch } from './version-switch.ts';

const BACK_TIMEOUT_MS = 30_000;
/** Beyond the deadline, for a host whose upgrader was cut off from it. */
const GUARD_GRACE_SECONDS = 60;
const LOOK_INTERVAL_MS = 2_000;

export interface UpgradeContext {
  paths: Paths;
  shipped: ShippedVersion;
  steps: Steps;
  controller: ControllerStatusResponse;
  dryRun: boolean;
  deadlineSeconds: number;
  signal: AbortSignal;
}

export type Upgraded = Omit<HostTold, 'exitCode'>;

/** Throws only before anything on the host was changed, or when it is interrupted. */
export const upgradeHost = async (context: UpgradeContext, target: UpgradeTarget): Promise<Upgraded> => {
  const { steps, paths, signal, shipped, dryRun } = context;
  await using session = await steps.run('connect', async () => {
    const opened = await openSsh(target.ssh, { paths, signal });
    return [unchanged(`host key ${opened.hostKey.type} ${opened.hostKey.fingerprint}`), opened];
  });
  const { facts, id } = await lookThere(context, session, target);
  const before = await hostAgentNow(paths, id);
  const from = facts.current || null;
  if (isThere(facts, before, shipped.id)) {
    await steps.run('version', async () => unchanged(`runs ${shipped.id}`));
    return { outcome: 'unchanged', id, from, reason: null };
  }
  await installThere({ paths, shipped, steps, session, signal, options: { dryRun } }, { facts });
  if (dryRun) {
    await steps.run('switch', async () => would(`${from} to ${shipped.id}, its host-agent started anew`));
    return { outcome: 'would', id, from, reason: null };
  }
  const there = new VersionSwitch(session, signal);
  try {
    await steps.run('switch', async () => {
      const restart = before?.facts?.build !== shipped.id;
      await there.to(shipped.id, { restart, guardSeconds: context.deadlineSeconds + GUARD_GRACE_SECONDS });
      return done(`${from} to ${shipped.id}`);
    });
    await awaitReport(context, there, id);
    await there.settle();
  } catch (error) {
    if (signal.aborted) steps.note(`${id} goes back by itself in a while, unless this is run again`);
    if (!(error instanceof FleetError) || signal.aborted) throw error;
    // Awaited here: the connection ends with this block.
    return await goBack(context, there, { id, from, reason: error.message });
  }
  await tidy(context, there);
  return { outcome: 'upgraded', id, from, reason: null };
};

const lookThere = (
  { steps, signal, controller }: UpgradeContext,
  session: SshSession,
  target: UpgradeTarget,
): Promise<{ facts: MachineFacts; id: string }> =>
  steps.run('preflight', async () => {
    const answer = await session.run(remoteScript('preflight'), { timeoutMs: SCRIPT_TIMEOUT_MS, signal });
    const facts = parseFacts(answer.stdout);
    const found = obstacles(facts);
    if (found.length > 0) throw new FleetError('FAILED_PRECONDITION', found.join('; '));
    const present = facts.identity ? parseEnrolment(facts.identity, 'its identity') : null;
    if (present === null || !isEnrolledWith(present, controller)) {
      const what = present === null ? 'it is enrolled nowhere' : `it is ${present.host} of another cell`;
      throw new FleetError('FAILED_PRECONDITION', `${what}: fleet host add ${targetText(target.ssh)}`);
    }
    const id = `${present.host}/${facts.user}`;
    if (target.id !== null && target.id !== id) {
      throw new FleetError('FAILED_PRECONDITION', `${targetText(target.ssh)} is ${id} now, not ${target.id}`);
    }
    return [unchanged(`${id} runs ${facts.current || 'no installed version'}`), { facts, id }];
  });

const hostAgentNow = async (paths: Paths, id: string): Promise<HostAgent | null> =>
  (await lookAtCell(paths, { hostsOnly: true })).hosts.find((host) => host.id === id) ?? null;

const isThere = (facts: MachineFacts, now: HostAgent | null, id: string): boolean =>
  facts.current === id &&
  (facts.unit_sha256 === unitSha256(id) || !facts.user_manager) &&
  !facts.upgrading &&
  now?.facts?.build === id;

/** Until the controller hears the new version; given up sooner where the host says that it will not come. */
const awaitReport = async (
  { paths, steps, signal, shipped, deadlineSeconds }: UpgradeContext,
  there: VersionSwitch,
  id: string,
): Promise<void> => {
  let nextLookMs = performance.now() + LOOK_INTERVAL_MS;
  await steps.run('report', async (progress) => {
    progress('waiting for its first word');
    const heard = async (): Promise<HostAgent | null> => {
      const now = await hostAgentNow(paths, id);
      if (now?.link.state === 'connected' && now.facts?.build === shipped.id) return now;
      if (performance.now() < nextLookMs) return null;
      nextLookMs = performance.now() + LOOK_INTERVAL_MS;
      const failure = await there.failure();
      if (failure !== null) throw new GivenUp('FAILED_PRECONDITION', `its host-agent does not run: ${failure}`);
      return null;
    };
    const wait = { timeoutMs: deadlineSeconds * 1_000, signal };
    const now = await waitUntil(`${id} did not report with ${shipped.id}`, heard, wait);
    return unchanged(`${id} reports with ${shipped.id}, ${counted(now.facts?.agents ?? 0, 'agent')}`);
  });
};

/** The host has its own guard where this fails. */
const goBack = async (
  { paths, steps, signal, shipped }: UpgradeContext,
  there: VersionSwitch,
  was: { id: string; from: string | null; reason: string },
): Promise<Upgraded> => {
  const connected = async (): Promise<true | null> => {
    const now = await hostAgentNow(paths, was.id);
    return (now?.link.state === 'connected' && now.facts?.build !== shipped.id) || null;
  };
  try {
    const from = await steps.run('rollback', async () => {
      const old = await there.rollBack();
      await waitUntil(`${was.id} did not report again`, connected, { timeoutMs: BACK_TIMEOUT_MS, signal });
      return [done(`${old ?? was.from} runs again, and reports`), old ?? was.from];
    });
    return { ...was, outcome: 'rolled-back', from };
  } catch (error) {
    if (!(error instanceof FleetError) || signal.aborted) throw error;
    return { ...was, outcome: 'lost', reason: `${was.reason}; ${error.message}` };
  }
};

/** Not worth going back for. */
const tidy = async ({ steps, shipped }: UpgradeContext, there: VersionSwitch): Promise<void> => {
  try {
    await there.prune(shipped.id);
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    await steps.run('tidy', async () => warning(`older versions were not removed: ${error.message}`));
  }
};
