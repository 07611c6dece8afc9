/** The policy file of a host-agent on another machine, over the operator's own ssh: never over the fleet's wire. */
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import { errorCodeOf } from '../exit-codes.ts';
import { parseEnrolment } from '../install/enrolment.ts';
import { parseFacts } from './preflight.ts';
import { remoteScript } from './remote-script.ts';
import { openSsh, type SshSession } from './ssh-session.ts';
import { type SshTarget, targetText } from './ssh-target.ts';

const SCRIPT_TIMEOUT_MS = 30_000;

export interface PolicyThere extends AsyncDisposable {
  /** As enrolled there. */
  host: string;
  user: string;
  /** null: there is no such file. */
  text: string | null;
  /** Throws FAILED_PRECONDITION when somebody else changed it meanwhile. */
  put(text: string): Promise<void>;
}

/** Throws FAILED_PRECONDITION for a machine on which no host-agent of that user is enrolled, or another than was named. */
export const policyThere = async (
  target: SshTarget,
  named: string,
  { paths, signal }: { paths: Paths; signal: AbortSignal },
): Promise<PolicyThere> => {
  const session = await openSsh(target, { paths, signal });
  try {
    const { host, user } = await whoIsThere(session, named, signal);
    const shown = (await runPolicy(session, { VERB: 'show', OLD: '', NEW: '' }, signal)).replace(/\n$/, '');
    const put = async (text: string): Promise<void> => {
      await runPolicy(session, { VERB: 'put', OLD: shown, NEW: text.trimEnd() }, signal);
    };
    const text = shown.startsWith('file') ? shown.slice('file\n'.length) : null;
    return { host, user, text, put, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() };
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
};

const whoIsThere = async (
  session: SshSession,
  named: string,
  signal: AbortSignal,
): Promise<{ host: string; user: string }> => {
  const machine = targetText(session.target);
  const answer = await session.run(remoteScript('preflight'), { timeoutMs: SCRIPT_TIMEOUT_MS, signal });
  const { identity, user } = parseFacts(answer.stdout);
  if (identity === '') {
    throw new FleetError(
      'FAILED_PRECONDITION',
      `no host-agent of ${user} is enrolled on ${machine}: fleet host add ${machine} brings one`,
    );
  }
  const { host } = parseEnrolment(identity, `the identity on ${machine}`);
  const [wanted, wantedUser = user] = named.split('/');
  if (!named.includes('@') && (host !== wanted || user !== wantedUser)) {
    throw new FleetError('FAILED_PRECONDITION', `${machine} is ${host}/${user} now, not ${named}: name it so`);
  }
  return { host, user };
};

const runPolicy = async (
  session: SshSession,
  values: Record<'VERB' | 'OLD' | 'NEW', string>,
  signal: AbortSignal,
): Promise<string> => {
  const result = await session.run(remoteScript('policy', values), { timeoutMs: SCRIPT_TIMEOUT_MS, signal });
  if (result.exitCode === 0) return result.stdout;
  const why = result.stderr.trim().split('\n').at(-1) || `it ended with ${result.exitCode}`;
  throw new FleetError(errorCodeOf(result.exitCode), `the policy on ${targetText(session.target)}: ${why}`);
};
