/**
 * The host's last word about what may be done here: `<config>/host-policy.json`, written by whoever owns the
 * account, never over the wire. Read anew at each question, so that a change counts at once.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { $ZodError } from 'zod/v4/core';
import en from 'zod/v4/locales/en.js';
import { CONTROL_LEVELS, type ControlLevel } from '../../src/domain/host-agent.ts';

const WORDS = { error: en().localeError };

const policySchema = z.strictObject({
  control: z._default(z.enum(CONTROL_LEVELS), 'lifecycle'),
  /** For callers of other cells. */
  federated: z._default(z.enum(CONTROL_LEVELS), 'observe'),
  /** Whether a person may type freely into an agent (`fleet attach`), where `control` lets anybody type at all. */
  takeover: z._default(z.boolean(), true),
  /** The same for callers of other cells. */
  federated_takeover: z._default(z.boolean(), false),
});

export interface HostPolicy {
  control: ControlLevel;
  federated: ControlLevel;
  takeover: boolean;
  federatedTakeover: boolean;
  /** Why the file could not be followed; the policy is then the most careful one. */
  problem: string | null;
}

export const hostPolicyPath = (config: string): string => join(config, 'host-policy.json');

const NOTHING_BUT_LOOKING = {
  control: 'observe',
  federated: 'observe',
  takeover: false,
  federatedTakeover: false,
} as const satisfies Omit<HostPolicy, 'problem'>;

/** No file: lifecycle, and observe for other cells. A file that cannot be read as a policy allows nothing but looking. */
export const readHostPolicy = (config: string): HostPolicy => {
  const path = hostPolicyPath(config);
  try {
    return { ...policyOf(JSON.parse(readFileSync(path, 'utf8'))), problem: null };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { ...policyOf({}), problem: null };
    const why = error instanceof $ZodError ? z.prettifyError(error).replace(/\s+/g, ' ') : (error as Error).message;
    return { ...NOTHING_BUT_LOOKING, problem: `${path}: ${why}` };
  }
};

const policyOf = (document: unknown): Omit<HostPolicy, 'problem'> => {
  const { control, federated, takeover, federated_takeover } = policySchema.parse(document, WORDS);
  return {
    control,
    federated,
    takeover: takeover && allowsLevel(control, 'send'),
    federatedTakeover: federated_takeover && allowsLevel(federated, 'send'),
  };
};

/** Whether a level includes another. */
export const allowsLevel = (level: ControlLevel, wanted: ControlLevel): boolean =>
  CONTROL_LEVELS.indexOf(level) >= CONTROL_LEVELS.indexOf(wanted);

/**
 * How whoever owns the account allows more, in words that follow a refusal: the one command. Callers of other cells are
 * not told: what they may is decided apart.
 */
export const grantWords = (host: string, ...words: string[]): string =>
  `; whoever owns the account allows it with: fleet host control ${host} ${words.join(' ')}`;

/** Why this caller may not take over an agent here; null: it may. */
export const takeoverRefusal = (policy: HostPolicy, caller: { federated: boolean }, host: string): string | null => {
  if (caller.federated ? policy.federatedTakeover : policy.takeover) return null;
  if (policy.problem !== null) {
    return `this host's policy cannot be read, so that nobody may type${caller.federated ? '' : `: ${policy.problem}`}`;
  }
  if (caller.federated) return "this host's policy lets nobody of another cell take over an agent";
  const level = allowsLevel(policy.control, 'send') ? [] : ['send'];
  return `this host's policy lets nobody take over an agent${grantWords(host, ...level, '--takeover yes')}`;
};
