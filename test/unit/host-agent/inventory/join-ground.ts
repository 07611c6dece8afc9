/** What the sources of one host read, as joinRows is given it: each part as it mostly is, but for what a test says. */
import type { JoinContext, Readings } from '../../../../host-agent/inventory/join.ts';
import { AgentMemory } from '../../../../host-agent/inventory/memory.ts';
import type {
  ProcessTree,
  TmuxPane,
  TmuxProblem,
  TmuxServer,
  UnitReading,
} from '../../../../host-agent/inventory/source.ts';
import type { RosterAgent } from '../../../../src/domain/roster.ts';

export const NOW = 2_000_000_000_000;
export const DEFAULT = '/tmp/tmux-1000/default';
export const FACTORY = '/tmp/tmux-1000/mosaic-factory';

export const pane = (id: string, over: Partial<TmuxPane> = {}): TmuxPane => ({
  id,
  pid: 1_000 + Number(id.slice(1)),
  tty: null,
  command: 'node',
  title: 'title',
  cwd: '/home/u',
  dead: false,
  exitStatus: null,
  signal: null,
  width: 80,
  height: 24,
  alternateScreen: false,
  activityMs: NOW - 1_000,
  active: true,
  inMode: false,
  ...over,
});

interface SessionGiven {
  name: string;
  panes?: TmuxPane[];
  group?: string;
  id?: string;
}

export const server = (socket: string, sessions: SessionGiven[], problem: TmuxProblem | null = null): TmuxServer => {
  const panes = new Map<string, TmuxPane>();
  let next = 0;
  const built = sessions.map(({ name, panes: given, group, id }, at) => {
    const own = given ?? [pane(`%${socket.length * 10 + next++}`)];
    for (const each of own) panes.set(each.id, each);
    return {
      id: id ?? `$${at}`,
      name,
      group: group ?? null,
      createdMs: 0,
      activityMs: null,
      attached: 0,
      paneIds: own.map((each) => each.id),
    };
  });
  return { socket, pid: 77, startTicks: 5, version: '3.3a', problem, polled: null, sessions: built, panes };
};

export const declared = (name: string, over: Partial<RosterAgent> = {}): RosterAgent => ({
  name,
  runtime: 'pi',
  role: 'coder',
  host: null,
  user: null,
  ssh: null,
  socketName: 'mosaic-factory',
  model: null,
  effort: null,
  lifecycle: 'core',
  workingDirectory: null,
  command: null,
  env: new Map(),
  layout: 'shared',
  connector: null,
  ...over,
});

export const readings = (over: {
  servers?: TmuxServer[];
  roster?: RosterAgent[];
  units?: UnitReading[];
}): Readings => ({
  tmux: { servers: over.servers ?? [] },
  systemd: {
    problem: null,
    units: new Map((over.units ?? []).map((unit) => [unit.name, unit])),
    linger: true,
    killUserProcesses: false,
  },
  heartbeats: { problem: null, byAgent: new Map() },
  roster: {
    path: '/r',
    roster: over.roster
      ? {
          version: 1,
          socketName: 'mosaic-factory',
          holderSession: '_holder',
          workingDirectory: '~',
          resetCommands: new Map(),
          agents: over.roster,
        }
      : null,
    problem: null,
    env: new Map(),
  },
});

export const tree = (pid: number, argv: string[], exe = `/usr/bin/${argv[0]}`): ProcessTree => ({
  processes: [
    {
      pid,
      ppid: 1,
      pgid: pid,
      tpgid: pid,
      state: 'S',
      comm: argv[0] ?? '',
      exe,
      argv,
      startedMs: 9,
      rssBytes: 10,
      cpuTicks: 0,
    },
  ],
});

export const context = (over: Partial<JoinContext> = {}): JoinContext => ({
  nowMs: NOW,
  hostNames: ['W-jarvis', 'box17'],
  user: 'jarvis',
  socketPath: (name) => `/tmp/tmux-1000/${name ?? 'default'}`,
  tree: (pid) => tree(pid, ['node', 'server.js']),
  cgroup: () => null,
  isAlive: () => false,
  launcherOf: () => null,
  launcherInstalled: null,
  prompt: () => null,
  judged: () => {},
  company: null,
  killUserProcesses: false,
  memory: new AgentMemory(),
  ...over,
});
