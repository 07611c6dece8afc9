import { allowsLevel, type HostPolicy } from '../policy/host-policy.ts';

/**
 * Why this caller may not type into agents here, naming what decides it; null: it may. Asked before anything else, since
 * the host has the last word whoever asks.
 */
export const sendRefusal = (policy: HostPolicy, path: string, caller: { federated: boolean }): string | null => {
  const level = caller.federated ? policy.federated : policy.control;
  if (allowsLevel(level, 'send')) return null;
  if (policy.problem !== null) return `this host's policy cannot be read, so that nobody may type: ${policy.problem}`;
  const whom = caller.federated ? 'callers of other cells' : 'callers';
  return `this host's policy lets ${whom} only ${level}: ${caller.federated ? '"federated"' : '"control"'} in ${path}`;
};
