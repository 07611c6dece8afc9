/** What the checks of a host are given: what the other rooms read, and whom they may ask. */
import type { Clock } from '../../src/runtime/clock.ts';
import type { HostAgentConfig } from '../config.ts';
import type { Enrolment } from '../enrollment/enrolment.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { ManagerFacts, ProcessTable } from '../inventory/source.ts';

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
