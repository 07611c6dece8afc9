/** What a host's doctor looks at, as a test says it is: readings and rows from memory, files below a temporary home. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DiagnoseOptions } from '../../host-agent/doctor/diagnose-options.ts';
import type { Readings } from '../../host-agent/inventory/join.ts';
import type { ManagerFacts, TmuxServer, UnitReading } from '../../host-agent/inventory/source.ts';
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { resolvePaths } from '../../src/runtime/paths.ts';

export const unitReading = (name: string, over: Partial<UnitReading> = {}): UnitReading => ({
  name,
  activeState: 'active',
  subState: 'exited',
  unitFileState: 'enabled',
  result: 'success',
  mainPid: null,
  restarts: 0,
  sinceMs: null,
  needsReload: false,
  fragmentPath: null,
  ...over,
});

/** A server whose sessions are `name`, or `name group`. */
export const tmuxServer = (
  socket: string,
  sessions: readonly string[],
  over: Partial<TmuxServer> = {},
): TmuxServer => ({
  socket,
  pid: 77,
  startTicks: 5,
  version: '3.3a',
  problem: null,
  polled: null,
  sessions: sessions.map((given, at) => {
    const [name = '', group] = given.split(' ');
    const times = { createdMs: 0, activityMs: null };
    return { id: `$${at}`, name, group: group ?? null, attached: 0, paneIds: [], ...times };
  }),
  panes: new Map(),
  ...over,
});

export class DoctorGround {
  readonly home = mkdtempSync(join(tmpdir(), 'fleet-doctor-'));
  readonly uid = process.getuid?.() ?? 0;
  rows: AgentRow[] = [];
  readings: Readings = {
    tmux: { servers: [] },
    systemd: { problem: null, units: new Map(), linger: true, killUserProcesses: false },
    heartbeats: { problem: null, byAgent: new Map() },
    roster: { path: join(this.home, '.config/mosaic/fleet/roster.yaml'), roster: null, problem: null, env: new Map() },
  };
  manager: ManagerFacts | null = { version: '252', unitPath: [join(this.home, '.config/systemd/user')], daemons: [] };
  /** By pid. */
  cgroups = new Map<number, string>();
  environments = new Map<number, Record<string, string>>();

  get paths() {
    const paths = resolvePaths({ home: this.home, uid: this.uid, env: {} });
    // Whatever this machine has at /run/user is not the test's.
    const run = join(this.home, 'run');
    return { ...paths, run, tmuxTmpdir: join(this.home, 'tmp') };
  }

  options(over: Partial<DiagnoseOptions> = {}): DiagnoseOptions {
    const { rows, readings, home, paths, uid } = this;
    return {
      config: { paths, user: 'jarvis', uid, instance: null, name: 'W-jarvis', logFile: null, logLevel: 'silent' },
      enrolment: { identity: null, problem: null },
      inventory: { rows, readings: () => readings },
      processes: {
        cgroup: (pid) => this.cgroups.get(pid) ?? null,
        environment: (pid, name) => this.environments.get(pid)?.[name] ?? null,
        isAlive: () => false,
      },
      clock: systemClock,
      home,
      build: null,
      standing: () => ({ state: 'connecting', address: '', reason: null }),
      clockSkewMs: () => null,
      controllerVersion: () => null,
      manager: Promise.resolve(this.manager),
      heartbeatFolder: (_, env) => env.get('MOSAIC_HEARTBEAT_RUN_DIR') ?? join(paths.mosaicHome, 'fleet/run'),
      listeningSockets: () => [],
      foreignServers: () => [],
      ...over,
    };
  }

  units(...units: UnitReading[]): void {
    this.readings.systemd.units = new Map(units.map((unit) => [unit.name, unit]));
  }

  /** Below the home. */
  write(path: string, text: string, mode = 0o644): string {
    const file = join(this.home, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode });
    return file;
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
