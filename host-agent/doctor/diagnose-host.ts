/**
 * What is wrong on this host and how to mend it: every check says what it saw, why it matters and what to type.
 * Looks only; a check that cannot be made says so.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import { FLEET_VERSION } from '../../src/runtime/version.ts';
import type { DiagnoseResponse } from '../../src/wire/gen/fleet/v1/view.ts';
import type { HostAgentConfig } from '../config.ts';
import type { Enrolment } from '../enrollment/enrolment.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { ok } from './finding.ts';
import { flagged, heartbeats, policy, roster, tmuxServers } from './fleet-checks.ts';
import { certificate, clockSkew, reach } from './line-checks.ts';
import { disk, linger, runFolder, tmuxProgram, userManager } from './machine-checks.ts';

export interface DiagnoseOptions {
  config: HostAgentConfig;
  enrolment: Enrolment;
  inventory: Inventory;
  clock: Clock;
  standing(): { state: string; address: string; reason: string | null };
  /** Our clock minus the controller's at its last beat; null before any. */
  clockSkewMs(): number | null;
}

export const diagnoseHost = async (options: DiagnoseOptions): Promise<DiagnoseResponse> => ({
  findings: [
    ok('version', `host-agent ${FLEET_VERSION}, node ${process.versions.node}`),
    await tmuxProgram(),
    ...tmuxServers(options),
    userManager(options),
    linger(options),
    runFolder(options),
    disk(options),
    roster(options),
    heartbeats(options),
    ...flagged(options),
    policy(options),
    certificate(options),
    reach(options),
    clockSkew(options),
  ],
});
