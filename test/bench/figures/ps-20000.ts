/**
 * `fleet ps` of 20,000 rows: how soon the first rows come, how long the daemons' loops are held while they serve, and the
 * whole process. The first listing, for which the host-agent has to ask the controller, is told beside it.
 */
import { GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { watchAgents } from '../../../src/cli/client/methods.ts';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { median, summary } from '../harness/statistics.ts';
import { interleaved, timedRun } from '../harness/timed-run.ts';
import { ROWS, type ThousandHosts, thousandHosts } from '../places/thousand-hosts.ts';

const FIRST_CHUNK_REACH_MS = 50;
const STALL_REACH_MS = 20;
const PROCESS_REACH_MS = 600;
const LISTINGS = 100;
const PROCESS_ROUNDS = 10;
const LISTING_TIMEOUT_MS = 20_000;

interface Listing {
  firstRowsMs: number;
  wholeMs: number;
  rows: number;
  bytes: number;
}

/** From nothing to the first frame that holds rows; its own connection, as a `fleet ps` has it. */
const list = async ({ machine }: ThousandHosts): Promise<Listing> => {
  const startMs = performance.now();
  using channel = new GrpcChannel(machine.local);
  const request = { follow: false, resumeToken: '', localOnly: false, hostsOnly: false };
  let firstRowsMs = 0;
  let rows = 0;
  let bytes = 0;
  for await (const frame of channel.stream(watchAgents, request, { deadlineMs: LISTING_TIMEOUT_MS })) {
    const agents = frame.changes?.agents ?? [];
    if (rows === 0 && agents.length > 0) firstRowsMs = performance.now() - startMs;
    rows += agents.length;
    for (const { row } of agents) bytes += row.length;
  }
  return { firstRowsMs, wholeMs: performance.now() - startMs, rows, bytes };
};

async function* serving(place: ThousandHosts) {
  const { controller, hostAgent } = place;
  await Promise.all([controller.loop.begin(), hostAgent.loop.begin()]);
  const cold = await list(place);
  const coldTurns = { controller: await controller.loop.end(), host_agent: await hostAgent.loop.end() };
  if (cold.rows < ROWS) throw new Error(`the first listing held ${cold.rows} rows of ${ROWS}`);

  await Promise.all([controller.loop.begin(), hostAgent.loop.begin()]);
  const load = new MachineLoad();
  const listings: Listing[] = [];
  for (let each = 0; each < LISTINGS; each++) listings.push(await list(place));
  const warmTurns = { controller: await controller.loop.end(), host_agent: await hostAgent.loop.end() };
  if (listings.some(({ rows }) => rows < ROWS)) throw new Error('a listing was not whole');

  const first = summary(listings.map(({ firstRowsMs }) => firstRowsMs));
  yield measured('ps-20000.first-chunk.p99', first.p99, 'ms', FIRST_CHUNK_REACH_MS, {
    ...first,
    whole_listing: summary(listings.map(({ wholeMs }) => wholeMs)),
    first_ever_ms: cold.firstRowsMs,
    first_ever_whole_ms: cold.wholeMs,
    bytes_per_row: cold.bytes / cold.rows,
    machine_busy_percent: load.busyPercent,
  });
  const turns = [coldTurns, warmTurns].flatMap(({ controller, host_agent }) => [controller.cpuMs, host_agent.cpuMs]);
  yield measured('ps-20000.loop-stall', Math.max(...turns), 'ms', STALL_REACH_MS, {
    what: 'longest work of the main thread between two turns; wallMs holds what other processes took as well',
    first_listing: coldTurns,
    later_listings: warmTurns,
  });
}

async function* wholeProcess({ machine }: ThousandHosts) {
  const load = new MachineLoad();
  const programs = {
    json: machine.fleetArgv('ps', '-o', 'json'),
    table: machine.fleetArgv('ps'),
    ndjson: machine.fleetArgv('ps', '-o', 'ndjson'),
    names: machine.fleetArgv('ps', '-o', 'name'),
  };
  const runs = await interleaved(programs, machine.env, PROCESS_ROUNDS);
  const walls = (name: keyof typeof programs): number[] => runs[name].map(({ wallMs }) => wallMs);
  for (const name of ['json', 'table'] as const) {
    yield measured(`ps-20000.whole-process.${name}`, median(walls(name)), 'ms', PROCESS_REACH_MS, {
      ...summary(walls(name)),
      cpu_ms: runs[name].reduce((sum, { cpuMs }) => sum + cpuMs, 0) / runs[name].length,
      ndjson_ms: median(walls('ndjson')),
      names_ms: median(walls('names')),
      machine_busy_percent: load.busyPercent,
    });
  }
}

export const ps20000: Figure = figure({
  name: 'ps-20000',
  about: `fleet ps of ${ROWS} rows: first rows, loop stalls, whole process`,
  place: thousandHosts,
  async *measure(place: ThousandHosts) {
    yield* serving(place);
    // One before the clock runs, so that a listing by this very program is known to work.
    await timedRun(place.machine.fleetArgv('ps', '-o', 'name'), place.machine.env);
    yield* wholeProcess(place);
  },
});
