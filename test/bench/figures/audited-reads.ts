/** What it costs a call at the controller that a thousand audited reads a second go on beside it, and whether all are kept. */
import { setTimeout as pause } from 'node:timers/promises';
import { verifyAudit, watchAudit } from '../../../src/cli/client/admin-methods.ts';
import { GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { whoAmI } from '../../../src/cli/client/methods.ts';
import { type Figure, figure, type Measurement, measured } from '../harness/figure.ts';
import { MachineLoad, readCost } from '../harness/process-cost.ts';
import { median, summary } from '../harness/statistics.ts';
import { type TwoMachines, twoMachines } from '../places/two-machines.ts';

const READS_PER_SECOND = 1_000;
const WINDOW_MS = 10_000;
const STEP_MS = 10;
const PROBE_EVERY_MS = 20;
const REACH_MS = 2;
const DEADLINE_MS = 20_000;
const MAX_OPEN = 64;
/** Less than this share of the reads was not the load that the reach is said of. */
const LEAST_LOAD = 0.95;

/** Times of single reads, one after the other. */
const probe = async (channel: GrpcChannel): Promise<number[]> => {
  const times: number[] = [];
  const endMs = performance.now() + WINDOW_MS;
  while (performance.now() < endMs) {
    const startMs = performance.now();
    await channel.unary(whoAmI, {}, { deadlineMs: DEADLINE_MS });
    times.push(performance.now() - startMs);
    await pause(PROBE_EVERY_MS);
  }
  return times;
};

/** As many reads as the rate wants, until it is ended; how many were answered. */
const readOn = (channel: GrpcChannel): { end: () => Promise<number> } => {
  let answered = 0;
  let asked = 0;
  const startMs = performance.now();
  const open = new Set<Promise<void>>();
  const timer = setInterval(() => {
    for (const due = ((performance.now() - startMs) / 1_000) * READS_PER_SECOND; asked < due; asked++) {
      // A machine that cannot make the load shall not drown in it.
      if (open.size >= MAX_OPEN) continue;
      const read = channel
        .unary(whoAmI, {}, { deadlineMs: DEADLINE_MS })
        .then(
          () => void answered++,
          () => undefined,
        )
        .finally(() => open.delete(read));
      open.add(read);
    }
  }, STEP_MS);
  return {
    end: async () => {
      clearInterval(timer);
      await Promise.all(open);
      return answered;
    },
  };
};

/** Records of the audit that say how many were not kept. */
const droppedRecords = async (channel: GrpcChannel): Promise<number> => {
  let dropped = 0;
  const request = { follow: false, afterSequence: 0n, sinceMs: 0, newest: 0 };
  for await (const { records } of channel.stream(watchAudit, request, { deadlineMs: 60_000 }))
    dropped += records.filter(({ outcome }) => outcome === 'dropped').length;
  return dropped;
};

export const auditedReads: Figure = figure({
  name: 'audited-reads',
  about: `a call at the controller beside ${READS_PER_SECOND} audited reads a second, over ${WINDOW_MS / 1_000} s`,
  place: twoMachines,
  async *measure({ jarvis, controller }: TwoMachines): AsyncGenerator<Measurement> {
    using probing = new GrpcChannel(jarvis.admin);
    using reading = new GrpcChannel(jarvis.admin);
    const load = new MachineLoad();
    const alone = await probe(probing);
    const before = readCost(controller.pid);
    const reads = readOn(reading);
    const beside = await probe(probing);
    const answered = await reads.end();
    const after = readCost(controller.pid);
    const perSecond = (answered * 1_000) / (after.atMs - before.atMs);
    const verdict = await probing.unary(verifyAudit, { heads: [] }, { deadlineMs: 60_000 });
    const line = measured('audited-reads.slowed', median(beside) - median(alone), 'ms', REACH_MS, {
      alone_ms: summary(alone),
      beside_ms: summary(beside),
      reads_per_second: perSecond,
      controller_cpu_ms_per_read: (after.cpuMs - before.cpuMs) / answered,
      records_of_losses: await droppedRecords(probing),
      chain_holds: verdict.broken === undefined,
      records: Number(verdict.records),
      machine_busy_percent: load.busyPercent,
    });
    yield perSecond >= LEAST_LOAD * READS_PER_SECOND ? line : { ...line, ok: null };
  },
});
