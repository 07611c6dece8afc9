/**
 * What is wrong on this host and how to mend it: every check says what it saw, why it matters and what to type.
 * Looks only; a check that cannot be made says so.
 */
import type { DiagnoseResponse } from '../../src/wire/gen/fleet/v1/view.ts';
import type { DiagnoseOptions } from './diagnose-options.ts';
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
