import type { ControlLevel } from '../../src/domain/host-agent.ts';
import { allowsLevel, grantWords, type HostPolicy } from '../policy/host-policy.ts';

/**
 * Why this caller may not do here what needs `wanted`, naming what decides it and what would allow it; null: it may. Asked
 * before anything else, since the host has the last word whoever asks.
 */
export const levelRefusal = (
  policy: HostPolicy,
  { path, host }: { path: string; host: string },
  caller: { federated: boolean },
  wanted: ControlLevel,
): string | null => {
  const level = caller.federated ? policy.federated : policy.control;
  if (allowsLevel(level, wanted)) return null;
  if (policy.problem !== null) {
    const nobody = wanted === 'send' ? 'nobody may type' : 'nobody may change anything';
    return `this host's policy cannot be read, so that ${nobody}${caller.federated ? '' : `: ${policy.problem}`}`;
  }
  if (caller.federated) return `this host's policy lets callers of other cells only ${level}`;
  return `this host's policy lets callers only ${level}: "control" in ${path}${grantWords(host, wanted)}`;
};
