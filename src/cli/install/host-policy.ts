/** The host's own word about what may be done there: a file that only this user writes, and the host-agent reads. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlLevel } from '../../domain/host-agent.ts';
import type { Paths } from '../../runtime/paths.ts';
import { policyText, readPolicy } from './policy-text.ts';
import { done, type StepOutcome, unchanged } from './steps.ts';
import { writeIfDifferent } from './write-file.ts';

export const hostPolicyFile = (paths: Paths): string => join(paths.config, 'host-policy.json');

/** null: there is none. */
export const hostPolicyText = async (paths: Paths): Promise<string | null> => {
  try {
    return await readFile(hostPolicyFile(paths), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
};

/** True when something was written. */
export const writeHostPolicy = (paths: Paths, text: string): Promise<boolean> =>
  writeIfDifferent(hostPolicyFile(paths), text, 0o600);

/** What this host lets others do: as asked, else as it was, else lifecycle. */
export const settleHostPolicy = async (paths: Paths, control: ControlLevel | undefined): Promise<StepOutcome> => {
  const present = await hostPolicyText(paths).catch(() => '');
  if (present !== null && control === undefined) return unchanged('as it was');
  const level = control ?? 'lifecycle';
  const text = policyText(keptOf(present, hostPolicyFile(paths)), { control: level });
  return (await writeHostPolicy(paths, text)) ? done(`control ${level}`) : unchanged(level);
};

/** A file that is no policy allows nothing but looking: whoever says a level here means to replace it. */
const keptOf = (present: string | null, file: string): ReturnType<typeof readPolicy> => {
  try {
    return readPolicy(present, file);
  } catch {
    return {};
  }
};
