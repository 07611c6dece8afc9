/** Preflight: what the machine is, what of ours it has, and whether fleet may and can go there. Changes nothing. */
import { FleetError } from '../../domain/errors.ts';
import { areRivals, rivalWords } from '../../domain/host-claim.ts';
import { machineIdOf } from '../../identity/machine-id.ts';
import { isIdentityName } from '../../identity/spiffe-id.ts';
import type { ControllerStatusResponse } from '../../wire/gen/fleet/v1/admin_messages.ts';
import { isEnrolledWith } from '../install/enrolled-with.ts';
import { parseEnrolment } from '../install/enrolment.ts';
import { lookAtCell } from '../install/local-fleet.ts';
import { unchanged } from '../install/steps.ts';
import { UsageError } from '../usage-error.ts';
import { type AddContext, SCRIPT_TIMEOUT_MS, type Survey } from './add-context.ts';
import { type MachineFacts, obstacles, parseFacts } from './preflight.ts';
import { remoteScript } from './remote-script.ts';
import { mebibytes } from './upload.ts';

/** What is there now. Throws FAILED_PRECONDITION naming all that stands in the way, UsageError for a name that is none. */
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
    if (!options.replace) await requireName(context, { host, user: facts.user }, facts);
    const skew = Math.round(facts.clock_seconds - Date.now() / 1000);
    const text = [
      facts.tmux,
      `${facts.machine} ${facts.libc || 'no glibc'}`,
      facts.user_manager ? 'user manager' : 'no user manager',
      ...(Math.abs(skew) > 5 ? [`clock ${skew > 0 ? '+' : ''}${skew}s`] : []),
      ...(facts.disk_kib === null ? [] : [`${mebibytes(facts.disk_kib * 1024)} free`]),
    ].join(', ');
    const enrolled = present && isOurs && (await stillStands(context, present)) ? present : null;
    return [unchanged(text), { facts, controller, host, enrolled }];
  });

/**
 * The controller asks the same when the machine enrols; asked here, nothing has been changed yet. A host that has
 * never spoken, and so told no machine id, is left to the controller.
 */
const requireName = async (
  { paths }: AddContext,
  name: { host: string; user: string },
  facts: MachineFacts,
): Promise<void> => {
  if (facts.machine_id === '') return;
  const claim = { ...name, machineId: machineIdOf(facts.machine_id, null) };
  for (const { host, user, facts } of (await lookAtCell(paths, { hostsOnly: true })).hosts) {
    const rival = { host, user, machineId: facts?.machineId ?? '' };
    if (rival.machineId !== '' && areRivals(claim, rival)) {
      throw new FleetError('ALREADY_EXISTS', rivalWords(claim, rival));
    }
  }
};

/** Revoked here, the machine may not know it yet: its identity is of no use any more. */
const stillStands = async ({ paths }: AddContext, present: { host: string; user: string }): Promise<boolean> =>
  (await lookAtCell(paths, { hostsOnly: true })).hosts.some(
    ({ host, user }) => host === present.host && user === present.user,
  );
