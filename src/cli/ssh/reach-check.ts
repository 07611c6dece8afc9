/** Asks from a machine, with the Node.js that was put there, where it reaches our controller. */
import * as z from 'zod';
import { FleetError } from '../../domain/errors.ts';
import { remoteScript } from './remote-script.ts';
import type { SshSession } from './ssh-session.ts';

const PROBE_TIMEOUT_MS = 3_000;
const CALL_TIMEOUT_MS = 30_000;

const Answer = z.object({ address: z.string(), reached: z.boolean(), why: z.string().nullable() });

export interface Reach {
  /** In the order of the question. */
  reached: string[];
  /** Why the first of them failed; empty when there were none to ask. */
  why: string;
}

/** Which of these addresses of the controller that machine can dial. Throws FAILED_PRECONDITION when the program does not run there. */
export const askReach = async (
  session: SshSession,
  versionId: string,
  controller: { cell: string; fingerprint: string },
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<Reach> => {
  if (addresses.length === 0) return { reached: [], why: 'no address to try' };
  const { cell, fingerprint } = controller;
  const result = await session.run(remoteScript('reach', { ID: versionId }), {
    timeoutMs: CALL_TIMEOUT_MS,
    signal,
    input: JSON.stringify({ cell, fingerprint, addresses, timeoutMs: PROBE_TIMEOUT_MS }),
  });
  if (result.exitCode !== 0) {
    const why = result.stderr.trim().split('\n').at(-1) ?? '';
    throw new FleetError('FAILED_PRECONDITION', `what was uploaded does not run there: ${why}`);
  }
  const answers = result.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Answer.parse(JSON.parse(line)));
  const reached = addresses.filter((address) => answers.some((answer) => answer.address === address && answer.reached));
  const first = answers.find((answer) => answer.address === addresses[0]);
  return { reached, why: first?.why ?? '' };
};
