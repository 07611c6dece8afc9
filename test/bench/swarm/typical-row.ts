/** A row like those of the first users' fleets: every part is there, texts are as long as theirs. */
import type { AgentRow } from '../../../src/domain/agent-row.ts';
import { agentRow } from '../../helpers/agent-row.ts';

export const typicalRow = (host: string, index: number, turn: number, nowMs: number): AgentRow => {
  const name = `agent-${String(index).padStart(2, '0')}`;
  const pid = 10_000 + index;
  return agentRow({
    key: `roster:${name}`,
    agent: name,
    role: 'coder',
    runtime: 'codex',
    model: 'openai-codex/gpt-5.5',
    effort: 'high',
    runtimeSeen: 'codex',
    unit: {
      name: `mosaic-agent@${name}.service`,
      activeState: 'active',
      subState: 'running',
      unitFileState: 'enabled',
      result: 'success',
      mainPid: pid,
      restarts: 0,
      sinceMs: nowMs - 7_200_000,
    },
    tmux: {
      socket: '/tmp/tmux-1000/mosaic-fleet',
      session: name,
      sessionId: `$${index}`,
      group: null,
      groupMembers: [],
      paneId: `%${index}`,
      pid,
      command: 'node',
      title: `${host}: turn ${turn}, reading src/domain/agent-row.ts`,
      cwd: `/home/jarvis/src/project-${index}`,
      dead: false,
      exitStatus: null,
      signal: null,
      width: 120,
      height: 40,
      alternateScreen: true,
      attached: 0,
    },
    heartbeat: { state: 'healthy', tsMs: nowMs, status: 'busy', pid, source: 'native' },
    lastOutputMs: nowMs,
    startedMs: nowMs - 7_200_000,
    stateSinceMs: nowMs - 60_000,
    rssBytes: 180_000_000,
    cpuPercent: 3,
    order: index,
  });
};
