/**
 * Jobs of a user's systemd manager, one at a time and waited for. Comes in: a unit's exact name. Goes out: how systemd says
 * that the job ended, and what the unit is then. Never a pattern, never a unit that was not named.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { UnitNow } from '../../src/domain/unit-now.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { Bus } from './bus.ts';
import { MANAGER, Manager, type UnitVerb } from './manager.ts';

export interface UnitJobsOptions {
  /** D-Bus socket of the user's manager. */
  busPath: string;
}

const POLL_MS = 50;
/** Wanted units go on; these do not. */
const STOPPED_ALONG = ['RequiredBy', 'BoundBy', 'ConsistsOf', 'PropagatesStopTo'];

export class UnitJobs {
  readonly #options: UnitJobsOptions;

  constructor(options: UnitJobsOptions) {
    this.#options = options;
  }

  /** Loads it where it is not. Rejects with UNAVAILABLE where there is no manager to ask. */
  async read(name: string): Promise<UnitNow> {
    return await this.#with((manager) => readUnit(manager, name));
  }

  /**
   * Queues the job and waits for its end: `done`, `failed`, `timeout`, `dependency`, `canceled` … in systemd's words; null
   * when the signal aborts first, and the job goes on. Rejects with FAILED_PRECONDITION where systemd refused to queue it,
   * with UNAVAILABLE where it is not known whether it did.
   */
  async run(verb: UnitVerb, name: string, signal: AbortSignal): Promise<string | null> {
    return await this.#with(async (manager, bus) => {
      // A person's start counts anew: what systemd gave up on would be refused for a while.
      if (verb !== 'stop') await manager.resetFailed(name).catch(() => undefined);
      const ended = new Map<string, string>();
      using _signals = bus.onSignal(({ interface: from, member, body }) => {
        // id, job, unit, result; it may come before the answer that names the job.
        if (from === MANAGER && member === 'JobRemoved' && body[2] === name)
          ended.set(String(body[1]), String(body[3]));
      });
      await manager.subscribe();
      const job = await manager.queue(verb, name).catch((error: unknown) => {
        if (bus.closed.aborted || !(error instanceof FleetError)) throw error;
        throw new FleetError('FAILED_PRECONDITION', `systemd refused: ${error.message}`, { cause: error });
      });
      const over = AbortSignal.any([signal, bus.closed]);
      while (!over.aborted && !ended.has(job)) await sleep(POLL_MS, over);
      const result = ended.get(job);
      if (result === undefined && !signal.aborted) bus.closed.throwIfAborted();
      return result ?? null;
    });
  }

  async #with<T>(work: (manager: Manager, bus: Bus) => Promise<T>): Promise<T> {
    const bus = await Bus.open(this.#options.busPath);
    try {
      return await work(new Manager(bus), bus);
    } finally {
      bus.close();
    }
  }
}

const readUnit = async (manager: Manager, name: string): Promise<UnitNow> => {
  const path = await manager.loadUnit(name);
  const unit = (property: string) => manager.property(path, 'Unit', property);
  const service = (property: string) => manager.property(path, 'Service', property);
  const [loadState, activeState, subState, result, mainPid, exitStatus, type, killMode, processes, ...along] =
    await Promise.all([
      unit('LoadState'),
      unit('ActiveState'),
      unit('SubState'),
      service('Result'),
      service('MainPID'),
      service('ExecMainStatus'),
      service('Type'),
      service('KillMode'),
      manager.processesOf(name),
      ...STOPPED_ALONG.map(unit),
    ]);
  return {
    name,
    loadState: String(loadState ?? 'unknown'),
    activeState: String(activeState ?? 'unknown'),
    subState: String(subState ?? 'unknown'),
    result: typeof result === 'string' && result !== '' ? result : null,
    mainPid: typeof mainPid === 'number' && mainPid > 0 ? mainPid : null,
    exitStatus: typeof exitStatus === 'number' ? exitStatus : null,
    isOneshot: type === 'oneshot',
    killsGroup: killMode !== 'process' && killMode !== 'none',
    processes,
    stopsAlong: [...new Set(along.flatMap((names) => (Array.isArray(names) ? names.map(String) : [])))],
  };
};
