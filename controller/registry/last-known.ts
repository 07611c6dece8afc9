/**
 * Keeps the store's last known picture behind the view, never in the way of a stream. Titles and prompt texts are
 * taken out first: they are live only, as are all rows of peers.
 */
import type { HostFacts } from '../../src/domain/host-agent.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { FleetView, HostAgentRecord, ViewRecord } from '../../src/view/fleet-view.ts';
import { withoutScreenText } from '../../src/wire/without-screen-text.ts';
import { isFederated } from '../tenancy/visible.ts';
import type { LastKnownHost } from './registry.ts';

/** The consumer's port on the store, which writes behind in small transactions. */
export interface LastKnownStore {
  putHostAgent(hostAgent: string, bytes: Uint8Array): void;
  putRow(hostAgent: string, key: string, bytes: Uint8Array): void;
  removeRow(hostAgent: string, key: string): void;
  load(): AsyncIterable<{ hostAgent: string; key?: string; bytes: Uint8Array }>;
}

const INTERVAL_MS = 1_000;
/** Changes that are taken in one turn of the loop: when all hosts come back at once they are many. */
const STEP = 200;
/** How much of the time of a host's last word may be lost with this process. */
const HEARD_INTERVAL_MS = 30_000;

/** Follows the view until the signal aborts; what changed by then is handed over before it returns. */
export const keepLastKnown = async (
  view: FleetView,
  store: LastKnownStore,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> => {
  let cursor = view.log.revision;
  let heardKeptMono = clock.monotonicMs();
  const keep = (record: HostAgentRecord): void => {
    const { host, user, tenantId, facts } = record;
    const heardMs = facts === null ? null : clock.nowMs() - (clock.monotonicMs() - record.heardAtMono);
    store.putHostAgent(record.id, Buffer.from(JSON.stringify({ host, user, tenantId, facts, heardMs })));
  };
  const take = (value: ViewRecord, removed: boolean): void => {
    if (isFederated(value) || (removed && view.present(value) !== undefined)) return;
    if (value.kind === 'agent') {
      if (removed) store.removeRow(value.hostAgent, value.key);
      else store.putRow(value.hostAgent, value.key, withoutScreenText(value.row));
    } else if (!removed) keep(value);
  };
  for (;;) {
    if (!view.log.reaches(cursor)) cursor = 0n;
    const keptMono = heardKeptMono;
    if (signal.aborted || clock.monotonicMs() - keptMono >= HEARD_INTERVAL_MS) {
      heardKeptMono = clock.monotonicMs();
      for (const record of view.hostAgents()) {
        if (record.heardAtMono >= keptMono && !isFederated(record)) keep(record);
      }
    }
    let taken = 0;
    for (const { revision, value, removed } of view.log.since(cursor)) {
      if (taken === STEP && !signal.aborted) break;
      taken += 1;
      cursor = revision;
      take(value, removed);
    }
    if (signal.aborted) return;
    if (taken === STEP) await new Promise((resolve) => setImmediate(resolve));
    else await sleep(INTERVAL_MS, signal);
  }
};

/** What the last run knew. An entry that cannot be read is left out: it is no more than a memory. */
export const loadLastKnown = async (store: LastKnownStore): Promise<LastKnownHost[]> => {
  const hosts = new Map<string, LastKnownHost>();
  for await (const { hostAgent, key, bytes } of store.load()) {
    if (key !== undefined) {
      // Memory of its own already.
      hosts.get(hostAgent)?.rows.push({ key, row: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) });
      continue;
    }
    try {
      const { host, user, tenantId, facts, heardMs } = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
        host: string;
        user: string;
        tenantId: string;
        facts: HostFacts | null;
        heardMs?: number | null;
      };
      hosts.set(hostAgent, { host, user, tenantId, facts, heardMs: heardMs ?? null, rows: [] });
    } catch {
      // Told anew as soon as the host speaks.
    }
  }
  return [...hosts.values()];
};
