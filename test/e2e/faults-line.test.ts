/** What either machine says while the line between them is cut, and after it is mended. Nothing on either is harmed. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bootFleetPair, untilWhole } from '../helpers/fleet-pair.ts';
import { agentsOf, FleetFeed, hostAgentOf, linkWords, type Seat, see } from '../helpers/fleet-seen.ts';
import type { MosaicPair } from '../helpers/mosaic.ts';
import { keepEvidence } from '../helpers/testbed/evidence.ts';
import { Testbed } from '../helpers/testbed/testbed.ts';
import type { WorkloadProcess } from '../helpers/testbed/workload.ts';
import { until } from '../helpers/until.ts';

let bed: Testbed;
let pair: MosaicPair;
let jarvis: Seat;
let dragon: Seat;
let onJarvis: FleetFeed;
let onDragon: FleetFeed;
let workload: { jarvis: WorkloadProcess[]; dragon: WorkloadProcess[] };

keepEvidence(() => bed);

beforeAll(async () => {
  bed = await Testbed.start();
  pair = await bootFleetPair(bed);
  jarvis = { host: pair.jarvis, user: 'jarvis' };
  dragon = { host: pair.dragon, user: 'jwoltje' };
});

afterAll(async () => {
  await bed?.stop();
});

const workloads = () => ({ jarvis: pair.jarvis.workload(), dragon: pair.dragon.workload() });

beforeEach(async () => {
  await untilWhole(pair);
  workload = workloads();
  expect(workload.jarvis.length).toBeGreaterThan(5);
  expect(workload.dragon.length).toBeGreaterThan(1);
  onJarvis = await FleetFeed.start(jarvis);
  onDragon = await FleetFeed.start(dragon);
});

afterEach(async () => {
  await onJarvis?.stop();
  await onDragon?.stop();
});

const unharmed = (): void => expect(workloads()).toEqual(workload);

describe('a cut cable', () => {
  test('is told as resuming, then lost and silent; both sides keep the rows of the other as last seen', async () => {
    const before = agentsOf(await see(jarvis), 'dragon-lin');
    onJarvis.mark();
    onDragon.mark();
    await pair.dragon.cutCable();

    const lostMs = await onJarvis.until('dragon-lin', 'lost silent', 20_000);
    unharmed();
    const resuming = onJarvis.links('dragon-lin').find(({ words }) => words.startsWith('resuming'));
    expect(resuming?.words).toBe('resuming silent');
    expect(resuming?.afterMs).toBeLessThanOrEqual(6_000);
    expect(lostMs).toBeLessThanOrEqual(15_000);

    const first = await see(jarvis);
    expect(first.complete).toBe(false);
    expect(agentsOf(first, 'W-jarvis').every((agent) => agent.current)).toBe(true);
    const rows = agentsOf(first, 'dragon-lin');
    expect(rows.map(({ address }) => address)).toEqual(before.map(({ address }) => address));
    expect(rows.map((row) => [linkWords(row), row.current])).toEqual(rows.map(() => ['lost silent', false]));
    const later = await until(
      async () => {
        const next = agentsOf(await see(jarvis), 'dragon-lin');
        return next.every((row, n) => row.observed_age_seconds >= (rows[n]?.observed_age_seconds ?? 0) + 2) && next;
      },
      { timeoutMs: 10_000 },
    );
    const ages = (agents: typeof rows) =>
      agents.map((row) => [row.idle_seconds, row.uptime_seconds, row.state_since_seconds, row.heartbeat.age_seconds]);
    expect(ages(later)).toEqual(ages(rows));

    await onDragon.until('W-jarvis', 'lost controller_unreachable', 5_000);
    const there = await see(dragon);
    expect(there.complete).toBe(false);
    expect(agentsOf(there, 'dragon-lin').map(({ current }) => current)).toEqual(before.map(() => true));
    expect(agentsOf(there, 'W-jarvis')).toHaveLength(agentsOf(first, 'W-jarvis').length);
    expect(agentsOf(there, 'W-jarvis').some(({ current }) => current)).toBe(false);
    const said = await pair.dragon.fleet('jwoltje', ['ps']);
    expect(said.stderr).toMatch(/^LOCAL ONLY: controller 10\.213\.7\.11:7443 unreachable \d+s \(.+\)\n/);
    expect(said.stdout).toMatch(/^ {4}coder0-0 /m);
    expect(said.stdout).toMatch(/^ {2}W-jarvis {2}LOST \d+s \(controller unreachable\); rows as last seen$/m);
    expect(said.stdout).toMatch(/^ {2}~ canary-pi .* was /m);
    const onTerminal = `TERM=xterm script -qec 'stty cols 120; ~/.local/bin/fleet ps' /dev/null`;
    const drawn = (await pair.dragon.mustSsh('jwoltje', onTerminal)).split('\r\n');
    expect(drawn[0]).toMatch(/^LOCAL ONLY: /);
    const isDim = (row: string) =>
      drawn
        .find((line) => line.includes(row))
        ?.trimStart()
        .startsWith('\x1b[2m');
    expect([isDim('coder0-0'), isDim('canary-pi'), isDim('notes')]).toEqual([false, true, true]);

    onJarvis.mark();
    onDragon.mark();
    await pair.dragon.mendCable();
    const backMs = await onJarvis.until('dragon-lin', 'connected', 20_000);
    await onDragon.until('W-jarvis', 'connected', 20_000);
    process.stdout.write(`cut: resuming ${resuming?.afterMs} lost ${lostMs} back ${backMs}\n`);
    await untilWhole(pair);
    unharmed();
    expect(hostAgentOf(await see(jarvis), 'dragon-lin').link.reason).toBe(null);
    expect([onJarvis.hasEnded, onDragon.hasEnded]).toEqual([false, false]);
  });
});
