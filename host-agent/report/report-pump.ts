/**
 * The host-agent's own rows as reports: a snapshot or the changes since a revision, then every change, whole rows.
 * Its only state is a revision: what the line cannot take in time is coalesced by key.
 */
import type { MessageSink } from '../../src/runtime/message-sink.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import type { ConnectRequest, Report } from '../../src/wire/gen/fleet/v1/host_agent.ts';

const MAX_CHUNK_BYTES = 256 * 1024;
/** Changes that come closer together than this travel in one report. */
const FLUSH_INTERVAL_MS = 20;

/** Runs until the signal aborts. `resume` is what the controller still holds of this view's log. */
export const pumpReports = async (
  view: FleetView,
  resume: { inventoryId: string; revision: bigint } | null,
  sink: MessageSink<ConnectRequest>,
  signal: AbortSignal,
): Promise<void> => {
  let cursor = 0n;
  let snapshot = true;
  if (resume !== null && resume.inventoryId === view.log.id && view.log.reaches(resume.revision)) {
    cursor = resume.revision;
    snapshot = false;
  }
  let begin = snapshot;
  while (!signal.aborted) {
    if (!view.log.reaches(cursor)) {
      cursor = 0n;
      begin = true;
    }
    const report = nextReport(view, cursor, begin);
    if (report !== null) {
      cursor = report.revision;
      begin = false;
      if (!sink.write({ report })) await sink.drained(signal);
      if (!report.complete) continue;
      await sleep(FLUSH_INTERVAL_MS, signal);
    }
    // Synchronous from the last look to the subscription: no change can fall between.
    if (report === null) cursor = view.log.revision;
    if (view.log.revision === cursor) await nextChange(view, signal);
  }
};

/** null: nothing of our own changed since. */
const nextReport = (view: FleetView, cursor: bigint, begin: boolean): Report | null => {
  const report: Report = { snapshotBegin: begin, rows: [], removed: [], revision: cursor, complete: true };
  let bytes = 0;
  for (const { revision, value, removed } of view.log.since(cursor)) {
    if (bytes >= MAX_CHUNK_BYTES) {
      report.complete = false;
      return report;
    }
    report.revision = revision;
    if (value.kind !== 'agent' || value.hostAgent !== view.hereId) continue;
    if (removed && view.present(value) !== undefined) continue;
    if (removed) report.removed.push(value.key);
    else report.rows.push({ key: value.key, row: value.row });
    bytes += value.key.length + (removed ? 8 : value.row.length);
  }
  return begin || report.rows.length > 0 || report.removed.length > 0 ? report : null;
};

const nextChange = (view: FleetView, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      subscription[Symbol.dispose]();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const subscription = view.log.onChange(done);
    signal.addEventListener('abort', done, { once: true });
  });
