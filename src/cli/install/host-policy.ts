/** The host's own word about what may be done there: a file that only this user writes, and the host-agent reads. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlLevel } from '../../domain/host-agent.ts';
import type { Paths } from '../../runtime/paths.ts';
import { done, type StepOutcome, unchanged } from './steps.ts';
import { writeIfDifferent } from './write-file.ts';

export const hostPolicyFile = (paths: Paths): string => join(paths.config, 'host-policy.json');

/** Callers of other cells only look. */
const policyText = (control: ControlLevel): string => `${JSON.stringify({ control, federated: 'observe' })}\n`;

/** What this host lets others do: as asked, else as it was, else lifecycle. */
export const settleHostPolicy = async (paths: Paths, control: ControlLevel | undefined): Promise<StepOutcome> => {
  const file = hostPolicyFile(paths);
  const present = await readFile(file, 'utf8').catch(() => null);
  if (present !== null && control === undefined) return unchanged('as it was');
  const level = control ?? 'lifecycle';
  return (await writeIfDifferent(file, policyText(level), 0o600)) ? done(`control ${level}`) : unchanged(level);
};
