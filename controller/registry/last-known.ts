/**
 * Keeps the store's last known picture behind the view: written in small batches, never in the way of a stream.
 * Titles and prompt texts are taken out first: they are live only.
 */
import type { HostFacts } from '../../src/domain/host-agent.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import { withoutScreenText } from '../../src/wire/agent-row.ts';

/** The consumer's port on the store: one call is one small transaction. */
export interface LastKnownStore {
  write(batch: LastKnownWrite[]): void;
}

export type LastKnownWrite =
  | { kind: 'host'; id: string; host: string; user: string; tenantId: string; facts: HostFacts | null }
  | { kind: 'row'; id: string; key: string; row: Buffer }
  | { kind: 'row-gone'; id: string; key: string }
  | { kind: 'host-gone'; id: string };

const INTERVAL_MS = 2_000;
const BATCH = 500;

/** Runs until the signal aborts, then writes what is left. */
export const keepLastKnown = async (
  view: FleetView,
  store: LastKnownStore,
  log: Logger,
  signal: AbortSignal,
  from: bigint,
): Promise<void> => {
  let cursor = from;
  const write = (): boolean => {
    const batch: LastKnownWrite[] = [];
    let next = cursor;
    for (const { revision, value, removed } of view.log.since(cursor)) {
      if (batch.length >= BATCH) break;
      next = revision;
      if (value.kind === 'agent') {
        const at = { id: value.hostAgent, key: value.key };
        batch.push(removed ? { kind: 'row-gone', ...at } : { kind: 'row', ...at, row: withoutScreenText(value.row) });
      } else if (removed) batch.push({ kind: 'host-gone', id: value.id });
      else {
        const { id, host, user, tenantId, facts } = value;
        batch.push({ kind: 'host', id, host, user, tenantId, facts });
      }
    }
    if (batch.length === 0) return false;
    try {
      store.write(batch);
      cursor = next;
      return batch.length >= BATCH;
    } catch (error) {
      log.error({ err: error }, 'last known rows could not be stored');
      return false;
    }
  };
  while (!signal.aborted) {
    await sleep(INTERVAL_MS, signal);
    if (!view.log.reaches(cursor)) cursor = 0n;
    while (write()) await new Promise((resolve) => setImmediate(resolve));
  }
};
