/**
 * Rosters on their way to hosts, and a copy of the last one that each host took: with it an operator can plan for a host that
 * is away. The copy says what was applied through this controller, not what a hand wrote there since.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { rosterDigest } from '../../src/roster/digest.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { HostAgentRecord } from '../../src/view/fleet-view.ts';
import type { OnBehalfOf } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { OrderOutcome } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { GetRosterResponse, PutRosterRequest } from '../../src/wire/gen/fleet/v1/roster.ts';
import type { Orders } from '../dispatch/orders.ts';
import type { AppliedRosterRecord, Records } from '../store/records.ts';
import type { Owners } from './owners.ts';

export interface AppliedRostersOptions {
  records: Records;
  owners: Pick<Owners, 'of' | 'owns'>;
  orders: Pick<Orders, 'give'>;
  clock: Clock;
  log: Logger;
}

const TEXTS = 'applied-roster-text/';
const MAX_PATH_CHARACTERS = 4_096;

export class AppliedRosters {
  readonly #options: AppliedRostersOptions;
  /** Where each host said that its roster is. */
  readonly #paths = new Map<string, string>();

  constructor(options: AppliedRostersOptions) {
    this.#options = options;
  }

  /** Given to its host like any order; kept before it is answered, where the host took it. */
  async put(
    record: HostAgentRecord,
    request: PutRosterRequest,
    caller: OnBehalfOf,
    signal: AbortSignal,
  ): Promise<OrderOutcome> {
    const outcome = await this.#options.orders.give(record, 'putRoster', request, caller, signal);
    if (outcome.outcome === 'done') await this.#keep(record.id, request, outcome);
    return outcome;
  }

  /** What the host said of its roster just now. */
  heard(hostAgent: string, { path }: GetRosterResponse): void {
    this.#paths.set(hostAgent, path.slice(0, MAX_PATH_CHARACTERS));
  }

  /** Without its text. */
  get(hostAgent: string): AppliedRosterRecord | undefined {
    return this.#options.records.appliedRosters.get(hostAgent);
  }

  /** As an answer to GetRoster; null: nothing was applied through here for whoever bears that name now. */
  async stored(hostAgent: string): Promise<GetRosterResponse | null> {
    const held = this.get(hostAgent);
    // Until it is forgotten it may still be there.
    const applied = held && this.#options.owners.owns(hostAgent, held) ? held : undefined;
    const text = applied && (await this.#options.records.store.get(TEXTS + hostAgent));
    if (!applied || !text) return null;
    const { path, digest, atMs } = applied;
    return {
      path,
      text: Buffer.from(text.value).toString('utf8'),
      digest,
      problem: '',
      env: [],
      asOfMs: atMs,
      stored: true,
      undeployed: [],
      orphans: [],
      operatorUnits: [],
      leftOver: [],
    };
  }

  async forget(hostAgent: string): Promise<void> {
    const { store, appliedRosters } = this.#options.records;
    this.#paths.delete(hostAgent);
    await store.commit({ remove: [appliedRosters.keyOf(hostAgent), TEXTS + hostAgent] });
  }

  /** Losing the copy costs a plan for a host that is away, never the order: it was carried out. */
  async #keep(hostAgent: string, { id, text }: PutRosterRequest, outcome: OrderOutcome): Promise<void> {
    const { records, owners, clock, log } = this.#options;
    const owner = owners.of(hostAgent);
    const before = this.get(hostAgent);
    // The answer to an earlier call: another roster may have been applied since.
    if (owner === null || (outcome.repeated && before && outcome.endedMs <= before.hostEndedMs)) return;
    const applied: AppliedRosterRecord = {
      ...owner,
      path: this.#paths.get(hostAgent) ?? before?.path ?? '',
      digest: rosterDigest(text),
      bytes: Buffer.byteLength(text),
      actor: outcome.actor,
      orderId: id,
      atMs: clock.nowMs(),
      hostEndedMs: outcome.endedMs,
    };
    try {
      const put = [
        records.appliedRosters.writing(hostAgent, applied),
        { key: TEXTS + hostAgent, value: Buffer.from(text) },
      ];
      await records.store.commit({ put });
    } catch (err) {
      log.error({ err, hostAgent, digest: applied.digest }, 'applied roster not kept');
    }
  }
}

/** Of a host that is away and of which nothing is kept. */
export const nothingStored = (hostAgent: string, standing: string): FleetError =>
  new FleetError(
    'NOT_FOUND',
    `${hostAgent} is away (${standing}), and no roster of it is stored: none was applied through this controller`,
  );
