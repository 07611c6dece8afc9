/**
 * The host's last word about what may be done here: `<config>/host-policy.json`, written by whoever owns the
 * account, never over the wire. Read anew at each question, so that a change counts at once.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CONTROL_LEVELS, type ControlLevel } from '../../src/domain/host-agent.ts';

const policySchema = z.strictObject({
  control: z.enum(CONTROL_LEVELS).default('lifecycle'),
  /** For callers of other cells. */
  federated: z.enum(CONTROL_LEVELS).default('observe'),
});

export interface HostPolicy {
  control: ControlLevel;
  federated: ControlLevel;
  /** Why the file could not be followed; the policy is then the most careful one. */
  problem: string | null;
}

export const hostPolicyPath = (config: string): string => join(config, 'host-policy.json');

/** No file: lifecycle, and observe for other cells. A file that cannot be read as a policy allows nothing but looking. */
export const readHostPolicy = (config: string): HostPolicy => {
  const path = hostPolicyPath(config);
  try {
    return { ...policySchema.parse(JSON.parse(readFileSync(path, 'utf8'))), problem: null };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { ...policySchema.parse({}), problem: null };
    const why = error instanceof z.ZodError ? z.prettifyError(error).replace(/\s+/g, ' ') : (error as Error).message;
    return { control: 'observe', federated: 'observe', problem: `${path}: ${why}` };
  }
};
