/** Host keys: strict always. One that ssh does not know is taken only by its fingerprint, into a file of our own. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import { writeIfDifferent } from '../install/write-file.ts';

export const knownHostsFile = (paths: Paths): string => join(paths.state, 'ssh/known_hosts');

/** `SHA256:…` as ssh prints it, of the second field of a known_hosts line's key. */
export const keyFingerprint = (base64: string): string =>
  `SHA256:${createHash('sha256').update(Buffer.from(base64, 'base64')).digest('base64').replace(/=+$/, '')}`;

const SERVER_HOST_KEY = /^debug1: Server host key: (\S+) (SHA256:[A-Za-z0-9+/]{43})/m;

/** The key that the server proved, from `ssh -v`; null before it got that far. */
export const seenHostKey = (sshOutput: string): { type: string; fingerprint: string } | null => {
  const match = SERVER_HOST_KEY.exec(sshOutput);
  return match ? { type: match[1] as string, fingerprint: match[2] as string } : null;
};

/** What ssh says of a failure, without its own tracing. */
export const saidBySsh = (sshOutput: string): string =>
  sshOutput
    .split(/\r?\n/)
    .filter(
      (line) => line !== '' && !/^(?:debug\d: |OpenSSH_|Authenticated |Transferred: |Bytes per second)/.test(line),
    )
    .join(' ')
    .slice(0, 500);

/** Adds the lines of `candidate` (a known_hosts that ssh wrote for this connection) whose key is the expected one. */
export const keepHostKey = async (paths: Paths, candidate: string, fingerprint: string): Promise<void> => {
  const lines = (await readFile(candidate, 'utf8').catch(() => '')).split('\n').filter((line) => {
    const key = line.split(' ')[2];
    return key !== undefined && keyFingerprint(key) === fingerprint;
  });
  if (lines.length === 0) {
    throw new FleetError('UNAUTHENTICATED', `the machine shows another host key than ${fingerprint}: nothing was sent`);
  }
  const file = knownHostsFile(paths);
  const present = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  const whole = [...new Set([...present, ...lines])];
  await writeIfDifferent(file, `${whole.join('\n')}\n`, 0o600);
};
