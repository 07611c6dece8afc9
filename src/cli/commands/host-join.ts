/** `fleet host join`: this machine enrols with the token on stdin. What `host add` runs on the far side, too. */

import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { FleetError } from '../../domain/errors.ts';
import type { ControlLevel } from '../../domain/host-agent.ts';
import { parseHandedToken } from '../../identity/handed-token.ts';
import { parseToken } from '../../identity/token.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { chooseDaemons, installHere } from '../install/choose-daemons.ts';
import { mustRun } from '../install/daemons.ts';
import { isEnrolledWith } from '../install/enrolled-with.ts';
import { type EnrolledAs, handOverToken, identityWritten, joinTokenFile, readEnrolment } from '../install/enrolment.ts';
import { exclusively } from '../install/exclusive.ts';
import { settleHostPolicy } from '../install/host-policy.ts';
import { lookAtHosts } from '../install/local-fleet.ts';
import { done, Steps, unchanged } from '../install/steps.ts';
import { GivenUp, waitUntil } from '../install/wait-until.ts';
import { UsageError } from '../usage-error.ts';
import { refuseRoot } from './up.ts';

const JOIN_TIMEOUT_MS = 40_000;
const MAX_TOKEN_CHARACTERS = 16_384;

export const run = async ({ flags, paths, stdin, stderr, signal }: CommandContext): Promise<number> => {
  refuseRoot(paths);
  const steps = new Steps(stderr);
  if (stdin.isTTY) steps.note('paste the token, then Enter and Ctrl-D:');
  const handed = parseHandedToken(await readAll(stdin));
  const token = parseToken(handed.token);
  const { username } = userInfo();
  if (token.user !== '' && token.user !== username) {
    throw new FleetError('INVALID_ARGUMENT', `this token is for user ${token.user}, and you are ${username}`);
  }
  return exclusively(paths, async () => {
    const before = await readEnrolment(paths);
    const writtenBefore = await identityWritten(paths);
    if (!flags.replace) refuseOther(before, token);
    const context = { paths, steps, signal };
    const daemons = await chooseDaemons(context, await installHere(context));
    await steps.run('policy', () => settleHostPolicy(paths, flags.control as ControlLevel | undefined));
    await handOverToken(paths, handed);
    await steps.run('host-agent', async () => {
      const outcome = await daemons.ensure('host-agent');
      return outcome === 'unchanged' ? unchanged(`running (${daemons.how})`) : done(`${outcome} (${daemons.how})`);
    });
    const wait = { timeoutMs: JOIN_TIMEOUT_MS, signal, hint: daemons.logHint('host-agent') };
    await steps.run('enrol', async () => {
      const taken = async () => {
        await mustRun(daemons, 'host-agent');
        return enrolledNow(paths, writtenBefore, token);
      };
      const now = await waitUntil('this host was not enrolled', taken, wait);
      // What it holds of a cell that it has left would stay in its view.
      if (before !== null && !isEnrolledWith(before, token)) await daemons.ensure('host-agent', { restart: true });
      const text = `as ${now.host}/${now.user} in cell ${now.cell}`;
      return now.certificatePem === before?.certificatePem ? unchanged(`${text}, as before`) : done(text);
    });
    await steps.run('ready', async () => {
      const connected = async () =>
        (await lookAtHosts(paths, { hostsOnly: true })).upstreamState === 'connected' || null;
      await waitUntil('the host-agent did not connect to the controller', connected, wait);
      return unchanged('connected to the controller');
    });
    return EXIT.done;
  });
};

const refuseOther = (before: EnrolledAs | null, token: { cell: string; host: string; fingerprint: string }): void => {
  if (before === null) return;
  const isSameCell = isEnrolledWith(before, token);
  if (isSameCell && (token.host === '' || token.host === before.host)) return;
  const present = isSameCell ? before.host : `${before.host} of another cell (${before.cell})`;
  throw new FleetError(
    'FAILED_PRECONDITION',
    `this host is ${present}: --replace leaves that and joins cell ${token.cell} as ${token.host || before.host}`,
  );
};

/**
 * The identity that the token gave, also where that is the one of before (the same token with the same key again); null
 * while it is too early. Throws GivenUp when the token was refused.
 */
const enrolledNow = async (
  paths: Paths,
  writtenBefore: string,
  token: { host: string; fingerprint: string },
): Promise<EnrolledAs | null> => {
  // The host-agent drops a token that it has used, or that was refused for good.
  if (existsSync(joinTokenFile(paths))) return null;
  const now = await readEnrolment(paths);
  const isOfToken = now !== null && isEnrolledWith(now, token) && (token.host === '' || token.host === now.host);
  if (isOfToken && (await identityWritten(paths)) !== writtenBefore) return now;
  const { hosts } = await lookAtHosts(paths, { hostsOnly: true });
  const refusal = hosts.find(({ here }) => here)?.facts?.warnings.find((text) => text.startsWith('not enrolled: '));
  if (refusal === undefined) return null;
  throw new GivenUp('PERMISSION_DENIED', refusal);
};

const readAll = async (stdin: NodeJS.ReadStream): Promise<string> => {
  let text = '';
  for await (const chunk of stdin) {
    text += String(chunk);
    if (text.length > MAX_TOKEN_CHARACTERS) throw new UsageError('what came on stdin is far longer than a token');
  }
  if (text.trim() === '')
    throw new UsageError('no token on stdin: fleet host join < FILE, or pipe fleet token into it');
  return text;
};
