/**
 * What is wrong on this host and how to mend it: every check says what it saw, why it matters and what to type.
 * Looks only; a check that cannot be made says so.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import type { DiagnoseResponse } from '../../src/wire/gen/fleet/v1/view.ts';
import type { HostAgentConfig } from '../config.ts';
import type { Enrolment } from '../enrollment/enrolment.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { ManagerFacts, ProcessTable } from '../inventory/source.ts';
import { flagged, policy } from './fleet-checks.ts';
import { heartbeats } from './heartbeat-checks.ts';
import { launches } from './launch-checks.ts';
import { certificate, clockSkew, reach } from './line-checks.ts';
import { disk, linger, neighbours, ownFolders, userManager } from './machine-checks.ts';
import { overrides, roster, rosterAgainstUnits } from './roster-checks.ts';
import { leftBehind, staleSockets, tmuxServers, unprotected } from './tmux-checks.ts';
import { tools } from './tool-checks.ts';
import { units } from './unit-checks.ts';
import { versions } from './version-checks.ts';

export interface DiagnoseOptions {
  config: HostAgentConfig;
  enrolment: Pick<Enrolment, 'identity' | 'problem'>;
  inventory: Pick<Inventory, 'rows' | 'readings'>;
  processes: Pick<ProcessTable, 'cgroup' | 'environment' | 'isAlive'>;
  clock: Clock;
  home: string;
  /** `<version>-<digest>` of what runs; null from a checkout. */
  build: string | null;
  standing(): { state: string; address: string; reason: string | null };
  /** Our clock minus the controller's at its last beat; null before any. */
  clockSkewMs(): number | null;
  /** As it said at its last welcome; null before any. */
  controllerVersion(): string | null;
  /** Asked for this diagnosis; null: nobody to ask. */
  manager: Promise<ManagerFacts | null>;
  /** Where an agent with these variables writes, and where one is read whose env file has them. */
  heartbeatFolder(agent: string, env: ReadonlyMap<string, string>): string;
  /** Paths of Unix sockets on which somebody listens. */
  listeningSockets(): string[];
  /** Owners of tmux servers of other users, as the process list shows everybody. */
  foreignServers(): number[];
}

export const diagnoseHost = async (options: DiagnoseOptions): Promise<DiagnoseResponse> => ({
  findings: [
    ...versions(options),
    ...(await tools(options)),
    userManager(options),
    linger(options),
    ownFolders(options),
    disk(options),
    neighbours(options),
    ...tmuxServers(options),
    ...unprotected(options),
    ...leftBehind(options),
    ...staleSockets(options),
    ...(await units(options)),
    roster(options),
    ...rosterAgainstUnits(options),
    ...(await overrides(options)),
    ...(await launches(options)),
    ...heartbeats(options),
    ...flagged(options),
    policy(options),
    certificate(options),
    reach(options),
    clockSkew(options),
  ],
  unanswered: false,
});
