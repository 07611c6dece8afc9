/**
 * The wiring of what this host-agent answers about itself, whoever asks: its diagnosis, and the heads that it keeps of the
 * cell's audit, beside the terminal plane's own calls. Nothing is decided here.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Composition } from '../src/runtime/composition.ts';
import { installedBuild } from '../src/runtime/version.ts';
import { KeptHeads } from './audit/kept-heads.ts';
import type { OwnCalls } from './calls/own-calls.ts';
import type { TerminalPlane } from './compose-terminal.ts';
import type { HostAgentConfig } from './config.ts';
import { diagnoseHost } from './doctor/diagnose-host.ts';
import type { DiagnoseOptions } from './doctor/diagnose-options.ts';
import { foreignServers } from './process/foreign-servers.ts';
import { ProcTable } from './process/proc-table.ts';
import { managerFacts } from './systemd/manager-facts.ts';
import { ListeningSockets } from './tmux/listening-sockets.ts';

type Known = 'config' | 'enrolment' | 'inventory' | 'standing' | 'clockSkewMs' | 'controllerVersion';

export interface CallParts extends Composition, Pick<DiagnoseOptions, Known> {
  config: HostAgentConfig;
  terminal: TerminalPlane['calls'];
  /** Where that agent's heartbeats are, as its environment says. */
  beatsFolder(agent: string, env: ReadonlyMap<string, ReadonlyMap<string, string>>): string;
}

export const composeCalls = async (parts: CallParts): Promise<{ calls: OwnCalls; auditHeads: KeptHeads }> => {
  const { config, clock, part, terminal, beatsFolder, shutdown, ...known } = parts;
  const { paths, uid } = config;
  const headsPath = join(paths.state, 'host-agent', 'audit-heads');
  const auditHeads = new KeptHeads({ path: headsPath, log: part('audit-heads'), nowMs: () => clock.nowMs() });
  await auditHeads.start();
  shutdown.add('audit heads', () => auditHeads.stop());
  const diagnose: OwnCalls['diagnose'] = () =>
    diagnoseHost({
      ...known,
      config,
      clock,
      processes: new ProcTable(),
      home: homedir(),
      build: installedBuild(),
      manager: paths.isolated ? Promise.resolve(null) : managerFacts(`/run/user/${uid}/bus`),
      heartbeatFolder: (agent, env) => beatsFolder(agent, new Map([[agent, env]])),
      listeningSockets: () => new ListeningSockets({ procRoot: '/proc', uid }).read().map(({ path }) => path),
      foreignServers: () => foreignServers(uid),
    });
  const getAuditHeads: OwnCalls['getAuditHeads'] = async () => ({ heads: [...auditHeads.heads()] });
  return { calls: { ...terminal, diagnose, getAuditHeads }, auditHeads };
};
