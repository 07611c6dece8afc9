/** Whether this user's manager starts at boot: asks for it, remembers that it was us, and turns off nothing else. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from './exec.ts';
import type { Paths } from './paths.ts';
import { writeWhole } from './write-whole.ts';

export type LingerOutcome =
  | { state: 'on' }
  | { state: 'enabled' }
  | { state: 'no-systemd' }
  /** `command` is what an administrator has to run. */
  | { state: 'refused'; command: string };

/** Written when lingering was off before us; `host rm` reads it. */
const LINGER_MARK = 'linger-enabled-by-fleet';

const CALL_TIMEOUT_MS = 10_000;

export const isLingering = (user: string): boolean => existsSync(join('/var/lib/systemd/linger', user));

export const ensureLinger = async (user: string, { state }: Pick<Paths, 'state'>): Promise<LingerOutcome> => {
  if (!existsSync('/run/systemd/system')) return { state: 'no-systemd' };
  if (isLingering(user)) return { state: 'on' };
  const result = await exec('loginctl', ['--no-ask-password', 'enable-linger', user], { timeoutMs: CALL_TIMEOUT_MS });
  if (result.exitCode !== 0 || !isLingering(user)) {
    return { state: 'refused', command: `sudo loginctl enable-linger ${user}` };
  }
  await writeWhole(join(state, LINGER_MARK), '', 0o600);
  return { state: 'enabled' };
};

/** Of what `ensureLinger` turned on. True when it is off. */
export const disableLinger = async (user: string, { state }: Pick<Paths, 'state'>): Promise<boolean> => {
  const mark = join(state, LINGER_MARK);
  if (!existsSync(mark) || !isLingering(user)) return !isLingering(user);
  await exec('loginctl', ['--no-ask-password', 'disable-linger', user], { timeoutMs: CALL_TIMEOUT_MS });
  if (isLingering(user)) return false;
  await rm(mark, { force: true });
  return true;
};
