/** The steps of `host rm`: revoke first, so that nothing of it is trusted any more, then take away what we put there. */
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { ControllerStatusResponse } from '../../wire/gen/fleet/v1/admin_messages.ts';
import { isEnrolledWith } from '../install/enrolled-with.ts';
import { parseEnrolment } from '../install/enrolment.ts';
import { askRemoval } from '../install/local-fleet.ts';
import { done, type Steps, unchanged, would } from '../install/steps.ts';
import { parseFacts } from './preflight.ts';
import { forgetHost } from './remembered-hosts.ts';
import { remoteScript } from './remote-script.ts';
import { openSsh, type SshSession } from './ssh-session.ts';
import type { SshTarget } from './ssh-target.ts';
import { removeTunnel, tunnelManager, tunnelMark, tunnelName } from './tunnel.ts';

const SCRIPT_TIMEOUT_MS = 60_000;

export interface RemoveContext {
  paths: Paths;
  steps: Steps;
  signal: AbortSignal;
  controller: ControllerStatusResponse;
  dryRun: boolean;
}

export interface Victim {
  /** Name in the cell; null when it is enrolled nowhere. */
  host: string | null;
  user: string;
  /** That user runs a controller there, which stays. */
  keepsController: boolean;
}

export interface There extends AsyncDisposable {
  session: SshSession;
  victim: Victim;
}

/** Throws FAILED_PRECONDITION for a machine of another cell: that cell's operator removes it. */
export const lookThere = async (context: RemoveContext, target: SshTarget): Promise<There> => {
  const { paths, signal, steps, controller } = context;
  const session = await steps.run('connect', async () => {
    const opened = await openSsh(target, { paths, signal });
    return [unchanged(`host key ${opened.hostKey.type} ${opened.hostKey.fingerprint}`), opened];
  });
  try {
    const answer = await session.run(remoteScript('preflight'), { timeoutMs: SCRIPT_TIMEOUT_MS, signal });
    const facts = parseFacts(answer.stdout);
    const present = facts.identity ? parseEnrolment(facts.identity, 'its identity') : null;
    if (present && !isEnrolledWith(present, controller)) {
      throw new FleetError(
        'FAILED_PRECONDITION',
        `it is ${present.host} of another cell (${present.cell}): remove it there`,
      );
    }
    const victim = { host: present?.host ?? null, user: facts.user, keepsController: facts.controller };
    return { session, victim, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() };
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
};

export const revokeHere = async ({ paths, steps, dryRun }: RemoveContext, { host, user }: Victim): Promise<void> => {
  if (host === null) return;
  await steps.run('revoke', async () => {
    if (dryRun) return would(`revoke ${host}/${user}`);
    const removed = await askRemoval(paths, host, user);
    return removed.length > 0 ? done(removed.join(', ')) : unchanged(`${host}/${user} was not enrolled`);
  });
};

export const removeThere = async (context: RemoveContext, session: SshSession, victim: Victim): Promise<void> => {
  const { steps, signal, controller, dryRun } = context;
  const { host, user } = victim;
  if (host !== null) {
    await steps.run('key line', async () => {
      if (dryRun) return would('remove the line of its tunnel from authorized_keys, if there is one');
      const values = { LINE: '', MARK: tunnelMark(controller.cell, tunnelName(host, user)) };
      const script = remoteScript('authorize', values);
      const result = await session.run(script, { timeoutMs: SCRIPT_TIMEOUT_MS, signal });
      if (result.exitCode !== 0) throw failed('authorized_keys', result.stderr);
      return result.stdout.trim() === 'changed' ? done('removed from authorized_keys') : unchanged('none there');
    });
  }
  await steps.run('remove', async () => {
    if (dryRun)
      return would('remove its units, versions, state and settings; linger if it came with us and nothing needs it');
    const script = remoteScript('remove', { KEEP_CONTROLLER: victim.keepsController ? 'yes' : 'no' });
    const result = await session.run(script, { timeoutMs: SCRIPT_TIMEOUT_MS, signal });
    if (result.exitCode !== 0) throw failed('files', result.stderr);
    const lines = result.stdout.split('\n').filter((line) => line !== '');
    return lines.length > 0 ? done(lines.join(', ')) : unchanged('nothing of ours was there');
  });
};

/** What this side kept for it. */
export const forgetHere = async ({ paths, steps, dryRun }: RemoveContext, { host, user }: Victim): Promise<void> => {
  if (host === null) return;
  await steps.run('tunnel', async () => {
    if (dryRun) return would('end and remove its tunnel, if there is one');
    const removed = await removeTunnel(paths, tunnelName(host, user), await tunnelManager(paths));
    await forgetHost(paths, host, user);
    return removed ? done('ended; its key and unit are gone') : unchanged('there was none');
  });
};

const failed = (what: string, stderr: string): FleetError =>
  new FleetError(
    'INTERNAL',
    `${what} there cannot be changed: ${stderr.trim().split('\n').at(-1) || 'no reason given'}`,
  );
