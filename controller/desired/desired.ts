/** The wiring of this room: what was applied on each host, what it shall yet be told, and the calls about both. */

import { rosterDigest } from '../../src/roster/digest.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import type { FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { deployableNow } from '../dispatch/authorise.ts';
import { namedOrder } from '../dispatch/order-index.ts';
import type { Orders } from '../dispatch/orders.ts';
import type { Handlers, Targets } from '../grpc/handlers.ts';
import type { Records } from '../store/records.ts';
import { hostSubject, refusedBy } from '../tenancy/subject.ts';
import type { HostCalls } from '../uplink/host-calls.ts';
import type { Uplink } from '../uplink/uplink.ts';
import { AppliedRosters } from './applied-rosters.ts';
import { BehindMarks } from './behind-marks.ts';
import { Expiries } from './expiries.ts';
import { intentHandlers, intentTargets } from './intent-calls.ts';
import { IntentRuns } from './intent-runs.ts';
import { Intents } from './intents.ts';
import { Owners } from './owners.ts';
import { rosterHandlers } from './roster-calls.ts';

export interface DesiredOptions {
  cell: string;
  records: Records;
  view: FleetView;
  uplink: Pick<Uplink, 'isReported' | 'onReported'>;
  calls: Pick<HostCalls, 'unary'>;
  orders: Orders;
  audit: AuditLog;
  clock: Clock;
  log: Logger;
  /** user@machine of whoever reaches the admin socket. */
  localName: string;
}

type Fleet = typeof FleetServiceService;

export const desiredTargets = (view: FleetView): Targets<Fleet> => ({
  getRoster: ({ hostAgent }) => hostSubject(view, hostAgent),
  putRoster: ({ id, hostAgent, text }, caller) => {
    const what = `roster of ${Buffer.byteLength(text)} bytes ${rosterDigest(text)}`;
    const subject = hostSubject(view, hostAgent, `${hostAgent.slice(0, 129)} ${what}`);
    return { ...subject, ...namedOrder(id), ...refusedBy(() => deployableNow(view, caller, hostAgent)) };
  },
  ...intentTargets(view),
});

export class Desired {
  readonly handlers: Pick<Handlers<Fleet>, 'getRoster' | 'putRoster' | 'putIntent' | 'getIntent'>;
  readonly #owners: Owners;
  readonly #marks: BehindMarks;
  readonly #runs: IntentRuns;
  readonly #forget: (hostAgent: string) => void;

  constructor(options: DesiredOptions) {
    const { cell, records, view, uplink, log } = options;
    const owners = new Owners(records, cell);
    const intents = new Intents(records);
    const expiries = new Expiries(options.clock);
    const applied = new AppliedRosters({ ...options, owners });
    const runs = new IntentRuns({
      ...options,
      intents,
      expiries,
      applied,
      isReported: (hostAgent) => uplink.isReported(hostAgent),
      onReported: (listener) => uplink.onReported(listener),
      onRunning: (hostAgent) => this.#marks.mark(hostAgent),
    });
    this.#owners = owners;
    this.#runs = runs;
    this.#marks = new BehindMarks({ ...options, isRunning: (hostAgent) => runs.isRunning(hostAgent) });
    this.#forget = (hostAgent) => {
      runs.forget(hostAgent);
      expiries.forget(hostAgent);
      for (const forgotten of [applied.forget(hostAgent), intents.forget(hostAgent)]) {
        forgotten.catch((err: unknown) => log.error({ err, hostAgent }, 'desired state not forgotten'));
      }
    };
    this.handlers = {
      ...rosterHandlers({ ...options, applied }),
      ...intentHandlers({ view, intents, runs, owners, clock: options.clock }),
    };
  }

  /** The view must have its hosts by then. */
  start(): void {
    this.#owners.follow(this.#forget);
    this.#marks.follow();
    this.#runs.start();
  }

  tick(): void {
    this.#runs.tick();
  }

  async stop(): Promise<void> {
    this.#owners.stop();
    await this.#runs.stop();
    this.#marks.stop();
  }
}
