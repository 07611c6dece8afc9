import type { ControlLevel } from '../../src/domain/host-agent.ts';
import { allowsLevel, type HostPolicy } from '../policy/host-policy.ts';

/**
 * Why this caller may not do here what needs `wanted`, naming what decides it; null: it may. Asked before anything else,
 * since the host has the last word whoever asks.
 */
export const levelRefusal = (
  policy: HostPolicy,
  path: string,
  caller: { federated: boolean },
  wanted: ControlLevel,
): string | null => {
  const level = caller.federated ? policy.federated : policy.control;
  if (allowsLevel(level, wanted)) return null;
  if (policy.problem !== null) {
    const nobody = wanted === 'send' ? 'nobody may type' : 'nobody may change anything';
    return `this host's policy cannot be read, so that ${nobody}: ${policy.problem}`;
  }
  const whom = caller.federated ? 'callers of other cells' : 'callers';
  return `this host's policy lets ${whom} only ${level}: ${caller.federated ? '"federated"' : '"control"'} in ${path}`;
};

/** Why this caller may not type into agents here. */
export const sendRefusal = (policy: HostPolicy, path: string, caller: { federated: boolean }): string | null =>
  levelRefusal(policy, path, caller, 'send');
