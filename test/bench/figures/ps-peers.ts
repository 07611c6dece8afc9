/** `fleet ps` of rows that five peers grant, against as many rows of the cell's own: neither may cost more. */
import { type Figure, figure, measured } from '../harness/figure.ts';
import type { Machine } from '../harness/machine.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { median, summary } from '../harness/statistics.ts';
import { interleaved, type TimedRun } from '../harness/timed-run.ts';
import { type FivePeers, fivePeers, PEERS, ROWS, ROWS_PER_PEER } from '../places/five-peers.ts';

/** What two runs of the same differ by on a machine that others use, too. */
const REACH = 1.1;
const ROUNDS = 20;

const walls = (runs: readonly TimedRun[]): number[] => runs.map(({ wallMs }) => wallMs);
const meanCpuMs = (runs: readonly TimedRun[]): number => runs.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / runs.length;

export const psPeers: Figure = figure({
  name: 'ps-peers',
  about: `fleet ps of ${PEERS} peers with ${ROWS_PER_PEER} rows each against ${ROWS} local rows, ${ROUNDS} pairs`,
  place: fivePeers,
  async *measure({ local, federated }: FivePeers) {
    const load = new MachineLoad();
    // Each below its own home, and neither with less to start than the other.
    const ps = (machine: Machine) => ['env', `HOME=${machine.home}`, ...machine.fleetArgv('ps', '-o', 'json')];
    const runs = await interleaved({ local: ps(local), peers: ps(federated) }, local.env, ROUNDS);
    yield measured('ps-peers.ratio', median(walls(runs.peers)) / median(walls(runs.local)), 'x', REACH, {
      peers_ms: summary(walls(runs.peers)),
      local_ms: summary(walls(runs.local)),
      cpu_ratio: meanCpuMs(runs.peers) / meanCpuMs(runs.local),
      machine_busy_percent: load.busyPercent,
    });
  },
});
