/** What either machine says while the line between them is cut, and after it is mended. Nothing on either is harmed. */
import { describe, expect, test } from 'vitest';
import type { AgentView } from '../../src/domain/agent-view.ts';
import { faultGround, TOLD_MS } from '../helpers/fault-ground.ts';
import { agentsOf, agesOf, hostAgentOf, linkWords, see } from '../helpers/fleet-seen.ts';
import { until } from '../helpers/until.ts';

const ground = faultGround();

const rowsAreAsLastSeen = async (before: AgentView[]): Promise<void> => {
  const { jarvis, dragon } = ground;
  const first = await see(jarvis);
  expect(first.complete).toBe(false);
  expect(agentsOf(first, 'W-jarvis').every(({ current }) => current)).toBe(true);
  const rows = agentsOf(first, 'dragon-lin');
  expect(rows.map(({ address }) => address)).toEqual(before.map(({ address }) => address));
  expect(rows.map((row) => [linkWords(row), row.current])).toEqual(rows.map(() => ['lost silent', false]));
  const later = await until(
    async () => {
      const next = agentsOf(await see(jarvis), 'dragon-lin');
      return next.every((row, n) => row.observed_age_seconds >= (rows[n]?.observed_age_seconds ?? 0) + 2) && next;
    },
    { timeoutMs: 30_000 },
  );
  expect(agesOf(later)).toEqual(agesOf(rows));

  const there = await see(dragon);
  expect(there.complete).toBe(false);
  expect(agentsOf(there, 'dragon-lin').map(({ current }) => current)).toEqual(before.map(() => true));
  expect(agentsOf(there, 'W-jarvis').map(({ address }) => address)).toEqual(
    agentsOf(first, 'W-jarvis').map(({ address }) => address),
  );
  expect(agentsOf(there, 'W-jarvis').some(({ current }) => current)).toBe(false);
};

const cutOffSideSaysSo = async (): Promise<void> => {
  const { pair } = ground;
  const said = await pair.dragon.fleet('jwoltje', ['ps']);
  expect(said.exitCode).toBe(0);
  expect(said.stderr).toMatch(/^LOCAL ONLY: controller 10\.213\.7\.11:7443 unreachable \S+ \(.+\)\n/);
  expect(said.stdout).toMatch(/^ {4}coder0-0 /m);
  expect(said.stdout).toMatch(/^ {2}W-jarvis {2}LOST \S+ \(controller unreachable\); rows as last seen$/m);
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
};

const otherSideSaysWho = async (): Promise<void> => {
  const { pair } = ground;
  const strict = await pair.jarvis.fleet('jarvis', ['ps', '--strict']);
  expect([strict.exitCode, strict.stderr]).toEqual([3, expect.stringMatching(/dragon-lin lost \S+/)]);
  expect((await pair.jarvis.fleet('jarvis', ['ps', '--strict', '--host', 'W-jarvis'])).exitCode).toBe(0);
  expect((await pair.jarvis.fleet('jarvis', ['hosts'])).stdout).toMatch(/^ {2}dragon-lin +jwoltje +LOST /m);
};

describe('a cut cable', () => {
  test('is told as resuming, then as lost and silent, and mends by itself', async () => {
    const { pair, onJarvis, onDragon } = ground;
    ground.mark();
    await pair.dragon.cutCable();
    expect(await onJarvis.until('dragon-lin', 'resuming silent', 20_000)).toBeLessThanOrEqual(TOLD_MS.resuming);
    expect(await onJarvis.until('dragon-lin', 'lost silent', 30_000)).toBeLessThanOrEqual(TOLD_MS.lost);
    expect(await onDragon.until('W-jarvis', 'lost controller_unreachable', 30_000)).toBeLessThanOrEqual(TOLD_MS.lost);
    ground.unharmed();
    expect(onJarvis.words('dragon-lin')).toEqual(['resuming silent', 'lost silent']);
    expect(onJarvis.words('W-jarvis')).toEqual([]);
    expect(onDragon.words('dragon-lin')).toEqual([]);

    ground.mark();
    await pair.dragon.mendCable();
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    await onDragon.until('W-jarvis', 'connected', 45_000);
    await ground.whole();
  });

  // One cut for all that can be looked at while it lasts: a line takes its time to be called lost.
  test('leaves the rows of the other machine as last seen, ages frozen, and is the first thing that fleet ps says', async () => {
    const { pair, jarvis, onJarvis, onDragon } = ground;
    const before = agentsOf(await see(jarvis), 'dragon-lin');
    ground.mark();
    await pair.dragon.cutCable();
    await onJarvis.until('dragon-lin', 'lost silent', 20_000);
    await onDragon.until('W-jarvis', 'lost controller_unreachable', 20_000);
    ground.unharmed();
    await rowsAreAsLastSeen(before);
    await cutOffSideSaysSo();
    await otherSideSaysWho();

    await pair.dragon.mendCable();
    await ground.whole();
    expect(agentsOf(await see(jarvis), 'dragon-lin').map(({ address }) => address)).toEqual(
      before.map(({ address }) => address),
    );
    expect((await pair.jarvis.fleet('jarvis', ['ps', '--strict'])).exitCode).toBe(0);
    expect(hostAgentOf(await see(jarvis), 'dragon-lin').link.reason).toBe(null);
  });

  test('that is mended at once loses nothing', async () => {
    const { pair, onJarvis } = ground;
    ground.mark();
    await pair.dragon.cutCable();
    await onJarvis.until('dragon-lin', 'resuming silent', 20_000);
    await pair.dragon.mendCable();
    await onJarvis.until('dragon-lin', 'connected', 45_000);
    expect(onJarvis.words('dragon-lin')).toEqual(['resuming silent', 'connected']);
    await ground.whole();
  });
});
