/** `fleet down --uninstall`: what `host rm` does to another machine, to this one; with its controller, and so with its cell. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import { exec } from '../../runtime/exec.ts';
import type { Paths } from '../../runtime/paths.ts';
import { shellQuoted } from '../../runtime/quote.ts';
import { listContexts } from '../client/context-files.ts';
import { readEnrolment } from '../install/enrolment.ts';
import { lookAtCell } from '../install/local-fleet.ts';
import { done, type StepOutcome, unchanged, would } from '../install/steps.ts';
import { scriptText } from './remote-script.ts';
import { removeTunnel, tunnelManager, tunnelNames } from './tunnel.ts';

const SCRIPT_TIMEOUT_MS = 60_000;

/** `host/user`, or null where this user is enrolled nowhere; `cell` is that of the controller here, or null without one. */
export interface Installed {
  enrolledAs: string | null;
  cell: string | null;
  /** Of that cell, which would be without a controller. */
  others: string[];
  /** Contexts of this user, whose keys go as well. */
  logins: string[];
}

/** Throws FAILED_PRECONDITION for an instance, and for a cell that others are in or that cannot be asked, unless `force`. */
export const lookHere = async (paths: Paths, force: boolean): Promise<Installed> => {
  if (paths.instance !== null) {
    throw new FleetError('FAILED_PRECONDITION', 'an instance is not installed: leave out --instance');
  }
  const enrolment = await readEnrolment(paths);
  const enrolledAs = enrolment && `${enrolment.host}/${enrolment.user}`;
  const logins = await listContexts(paths);
  if (!existsSync(join(paths.state, 'controller'))) return { enrolledAs, cell: null, others: [], logins };
  const cell = await lookAtCell(paths, { hostsOnly: true }).catch((cause) => {
    if (force) return null;
    const why = 'the controller here does not answer, so nobody knows which hosts are in its cell';
    throw new FleetError('FAILED_PRECONDITION', `${why}: fleet up and then this again, or --force`, { cause });
  });
  const others = (cell?.hosts ?? []).map(({ host, user }) => `${host}/${user}`).filter((name) => name !== enrolledAs);
  if (others.length > 0 && !force) {
    const words = `in this cell are ${others.join(', ')}, which would be without a controller`;
    throw new FleetError('FAILED_PRECONDITION', `${words}: fleet host rm them first, or --force`);
  }
  return { enrolledAs, cell: cell?.mirror.cell ?? 'of this machine', others, logins };
};

/** The daemons are stopped by then. Lines of what was removed and kept. */
export const removeHere = async (paths: Paths, dryRun: boolean): Promise<StepOutcome> => {
  if (dryRun)
    return would('remove units, versions, state and settings; linger if it came with us and nothing needs it');
  const manager = await tunnelManager(paths);
  for (const name of await tunnelNames(paths)) await removeTunnel(paths, name, manager);
  const script = `KEEP_CONTROLLER=${shellQuoted('no')}\n${scriptText('remove')}`;
  const { exitCode, stdout, stderr } = await exec('/bin/sh', ['-s'], { input: script, timeoutMs: SCRIPT_TIMEOUT_MS });
  if (exitCode !== 0) {
    throw new FleetError('INTERNAL', `not all was removed: ${stderr.trim().split('\n').at(-1) || 'no reason given'}`);
  }
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.length > 0 ? done(lines.join(', ')) : unchanged('nothing of ours was there');
};
