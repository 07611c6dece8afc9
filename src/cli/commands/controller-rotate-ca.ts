/** `fleet controller rotate-ca STEP`: the step, and then until whoever is connected has come along, or too late for that. */
import { FleetError } from '../../domain/errors.ts';
import type { AuthorityStanding } from '../../wire/gen/fleet/v1/rotation.ts';
import { authorityStatus, rotateAuthority } from '../client/admin-methods.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { confirm } from '../confirm.ts';
import { holderName, leftBehind, standingLines, standingObject } from '../controller/standing-text.ts';
import { EXIT } from '../exit-codes.ts';
import { waitUntil } from '../install/wait-until.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';
import { UsageError } from '../usage-error.ts';

const STEPS = ['begin', 'switch', 'finish', 'abort', 'status'];
const DEADLINE_MS = 10_000;
/** Hosts say within a beat what they have, and renew within seconds of one another. */
const COME_ALONG_MS = 20_000;

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, paths, stdout, signal } = context;
  const [step = ''] = positionals;
  if (!STEPS.includes(step)) throw new UsageError(`rotate-ca "${step}": one of ${STEPS.join(', ')}`);
  using channel = new GrpcChannel(adminEndpoint(paths));
  const call = { deadlineMs: DEADLINE_MS, signal };
  const look = async () => known((await channel.unary(authorityStatus, {}, call)).standing);
  if (step === 'switch') await confirmLeavers(context, await look());
  if (step !== 'status') await channel.unary(rotateAuthority, { step, force: flags.force === true }, call);
  const standing = await settled(look, signal);
  const lines =
    flags.output === 'json'
      ? [jsonText({ schema: 'fleet.rotation/v1', ...standingObject(standing) })]
      : standingLines(standing);
  await writeAll(stdout, linesOf(lines), signal);
  return EXIT.done;
};

const known = (standing: AuthorityStanding | undefined): AuthorityStanding => {
  if (standing !== undefined) return standing;
  throw new FleetError('INTERNAL', 'the controller does not say how its authorities stand: is it of this version?');
};

/** Once it signs, whoever was never told of it cannot know the controller any more. */
const confirmLeavers = async (context: CommandContext, standing: AuthorityStanding): Promise<void> => {
  const left = standing.phase === 'begun' ? leftBehind(standing) : [];
  if (left.length === 0) return;
  const names = left.map(holderName).join(', ');
  await confirm(
    context,
    `${left.length} away and never told of the new authority must join or be invited again: ${names}. Switch?`,
  );
};

/** As it is when nobody is waited for any more; who is too slow for that is named in the answer. */
const settled = async (look: () => Promise<AuthorityStanding>, signal: AbortSignal): Promise<AuthorityStanding> => {
  const complete = async (): Promise<AuthorityStanding | null> => {
    const standing = await look();
    const what = standing.phase === 'begun' ? 'trusts' : 'renewed';
    const isWaiting = standing.holders.some((holder) => holder.connected && !holder[what] && !holder.silent);
    return standing.phase === 'none' || !isWaiting ? standing : null;
  };
  return waitUntil('not all came along', complete, { timeoutMs: COME_ALONG_MS, signal }).catch((error: unknown) => {
    if (error instanceof FleetError && error.code === 'DEADLINE_EXCEEDED') return look();
    throw error;
  });
};
