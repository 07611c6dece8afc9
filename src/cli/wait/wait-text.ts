/** What `fleet wait` says at its end: one line, or one object. Pure; the caller cleans. */
import type { AgentView } from '../../domain/agent-view.ts';
import { coarse } from '../render/duration.ts';
import type { Look } from './awaited-agent.ts';

export const waitLine = ({ address, agent, condition, doubt }: Look): string => {
  if (agent === null) return `${address}  ${condition ?? 'not seen'}`;
  const since = agent.state_since_seconds;
  const age = since === null || doubt !== null ? '' : ` for ${coarse(since)}`;
  return `${address}  ${doubt === null ? '' : 'was '}${stateWords(agent)}${age}`;
};

const stateWords = ({ readiness, reason, reason_code }: AgentView): string => {
  const tells = readiness !== 'working' && readiness !== 'available' && reason !== null;
  return `${readiness}${tells ? `: ${reason}` : ''}${reason_code === null ? '' : ` (${reason_code})`}`;
};

export const waitObject = (
  { address, agent, condition, doubt }: Look,
  outcome: 'met' | 'timed-out' | 'not-current',
  waitedMs: number,
): object => ({
  schema: 'fleet.wait/v1',
  address,
  outcome,
  condition,
  waited_seconds: Math.round(waitedMs / 100) / 10,
  doubt,
  agent,
});
