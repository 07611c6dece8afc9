/** Two hosts with what runs there, as the product page shows them, and the tables of any others. */
import { type Picture, takePicture } from '../../../../src/cli/picture.ts';
import { agentsTable } from '../../../../src/cli/render/agents-table.ts';
import { plain } from '../../../../src/cli/render/paint.ts';
import { EVERYTHING } from '../../../../src/domain/agent-filter.ts';
import type { AgentRow } from '../../../../src/domain/agent-row.ts';
import type { HostAgent } from '../../../../src/domain/host-agent.ts';
import type { Upstream } from '../../../../src/wire/gen/fleet/v1/view.ts';
import { agentRow, tmuxFacts } from '../../../helpers/agent-row.ts';
import { mirrorOf } from '../../../helpers/fleet-mirror.ts';
import { hostAgent, hostFacts } from '../../../helpers/host-agent.ts';

export const NOW = Date.UTC(2026, 0, 1);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const jarvis = hostAgent({
  here: true,
  heardAgeMs: SECOND,
  facts: hostFacts({
    hostNowMs: NOW - SECOND,
    agents: 5,
    via: 'dial',
    control: 'deploy',
    certificateNotAfterMs: NOW + 5 * DAY + HOUR,
    warnings: ['4 BOOT-ENABLE'],
  }),
});
export const dragon = hostAgent({
  id: 'dragon-lin/jwoltje',
  host: 'dragon-lin',
  user: 'jwoltje',
  link: { state: 'lost', reason: 'silent', ageMs: 134 * SECOND },
  heardAgeMs: 134 * SECOND,
  clockSkewMs: 41 * SECOND,
  facts: hostFacts({ hostNowMs: NOW, agents: 1, via: 'ssh', certificateNotAfterMs: NOW + 2 * DAY + HOUR }),
});

export const beat = (ageMs: number, state = 'healthy') => ({
  state,
  tsMs: NOW - ageMs,
  status: 'ok',
  pid: 1,
  source: 'native',
});
export const rows: [string, AgentRow][] = [
  [
    jarvis.id,
    agentRow({
      role: null,
      runtimeSeen: 'stub',
      stateSinceMs: NOW - 2 * HOUR,
      heartbeat: beat(3 * SECOND),
      lastOutputMs: NOW - 4 * SECOND,
      flags: ['DRIFT', 'BOOT-ENABLE'],
    }),
  ],
  [
    jarvis.id,
    agentRow({
      key: 'o',
      agent: 'dogfood-orchestrator',
      role: null,
      runtimeSeen: 'stub',
      readiness: 'available',
      stateSinceMs: NOW - 41 * MINUTE,
      heartbeat: beat(2 * SECOND),
      lastOutputMs: NOW - 46 * MINUTE,
      flags: ['BOOT-ENABLE'],
      order: 1,
    }),
  ],
  [
    jarvis.id,
    agentRow({
      key: 'r',
      agent: 'dogfood-reviewer',
      role: null,
      runtimeSeen: 'stub',
      readiness: 'stale',
      reason: 'no beat',
      stateSinceMs: NOW - 3 * MINUTE,
      heartbeat: beat(192 * SECOND, 'stale'),
      lastOutputMs: NOW - 50 * MINUTE,
      flags: ['BOOT-ENABLE'],
      order: 2,
    }),
  ],
  [
    dragon.id,
    agentRow({
      key: 'c',
      agent: 'coder0-0',
      managed: false,
      source: 'socket',
      role: null,
      runtime: null,
      runtimeSeen: null,
      tmux: tmuxFacts({ command: 'node' }),
      readiness: 'available',
      stateSinceMs: NOW - 6 * MINUTE,
      lastOutputMs: NOW - 6 * MINUTE,
      flags: ['UNMANAGED'],
    }),
  ],
];

export const picture = (
  hosts: HostAgent[] = [jarvis, dragon],
  held: [string, AgentRow][] = rows,
  more: { upstream?: Upstream; filter?: Partial<typeof EVERYTHING>; localOnly?: boolean } = {},
): Picture =>
  takePicture(mirrorOf(hosts, held, more.upstream), 0, {
    filter: { ...EVERYTHING, ...more.filter },
    localOnly: more.localOnly ?? false,
    compare: null,
  });

export const unlimited = { width: Number.POSITIVE_INFINITY, wide: false, paint: plain };
export const agents = (from: Picture, options: Partial<typeof unlimited> = {}): string =>
  agentsTable(from, { ...unlimited, ...options }).join('\n');
