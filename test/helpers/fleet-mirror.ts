import { ViewMirror } from '../../src/cli/client/view-mirror.ts';
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { HostAgent } from '../../src/domain/host-agent.ts';
import { encodeAgentRow } from '../../src/wire/agent-row.ts';
import type { Changes, Upstream, WatchAgentsResponse } from '../../src/wire/gen/fleet/v1/view.ts';
import { hostAgentToWire } from '../../src/wire/host-agent.ts';

const CALLER = { name: 'jarvis', role: 'operator', tenantId: 'default', kind: 'local' };

export const opened = (resumed = false): WatchAgentsResponse => ({ opened: { cell: 'home', resumed, caller: CALLER } });

export const changes = (
  part: { hosts?: HostAgent[]; rows?: [string, AgentRow][] } & Partial<Changes>,
): WatchAgentsResponse => ({
  changes: {
    hostAgents: (part.hosts ?? []).map(hostAgentToWire),
    agents: (part.rows ?? []).map(([hostAgent, row]) => ({
      hostAgent,
      key: row.key,
      row: Buffer.from(encodeAgentRow(row)),
    })),
    removedHostAgents: part.removedHostAgents ?? [],
    removedAgents: part.removedAgents ?? [],
  },
});

export const bookmark = (resumeToken = 't', upstream?: Upstream): WatchAgentsResponse => ({
  bookmark: { resumeToken, upstream },
});

/** A whole view at moment 0. */
export const mirrorOf = (hosts: HostAgent[], rows: [string, AgentRow][], upstream?: Upstream): ViewMirror => {
  const mirror = new ViewMirror();
  for (const frame of [opened(), changes({ hosts, rows }), bookmark('t', upstream)]) mirror.apply(frame, 0);
  return mirror;
};
