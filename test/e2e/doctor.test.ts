/** What is wrong on real machines is found, mended where a program can, and holds when the power fails; nobody's agent is touched. */
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { untilWhole } from '../helpers/fleet-pair.ts';
import { agentsOf, see } from '../helpers/fleet-seen.ts';
import { MOSAIC_AGENTS } from '../helpers/mosaic.ts';
import type { Host } from '../helpers/testbed/host.ts';
import { until } from '../helpers/until.ts';

const SOON = { timeoutMs: 40_000 };
const UNITS = '/home/jarvis/.config/systemd/user';
const HOLDER = 'mosaic-tmux-holder.service';
const AGENT_UNITS = MOSAIC_AGENTS.map((name) => `mosaic-agent@${name}.service`);

const ground = fleetGround();

const findings = async (host: Host, user: string): Promise<Finding[]> =>
  JSON.parse((await host.fleet(user, ['doctor', '-o', 'json'])).stdout).findings;
const found = (all: readonly Finding[], check: string): Finding[] => all.filter((finding) => finding.check === check);

const workload = (): string[] =>
  [...ground.pair.jarvis.workload(), ...ground.pair.dragon.workload()].map(
    ({ pid, startTicks, comm }) => `${comm} ${pid} ${startTicks}`,
  );

describe('the fleet as it stands', () => {
  test('what a reboot would lose is told with its mend; each tmux server with the unit in which it lives', async () => {
    const all = await findings(ground.pair.jarvis, 'jarvis');
    expect(found(all, 'BOOT-ENABLE')).toMatchObject([{ outcome: 'warning', fix: { kind: 'enable-unit' } }]);
    expect(found(all, 'BOOT-ENABLE')[0]?.fix?.targets.toSorted()).toEqual([HOLDER, ...AGENT_UNITS].sort());
    const servers = found(all, 'tmux server').map(({ what }) => what);
    expect(servers).toContainEqual(expect.stringMatching(/mosaic-factory: .* in mosaic-tmux-holder\.service/));
    expect(servers).toContainEqual(expect.stringMatching(/default: .* login session-.*\.scope/));
    expect(all.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    for (const check of ['systemd', 'node', 'sh', 'ssh', 'folders', 'linger', 'version', 'heartbeats'])
      expect(found(all, check)).toMatchObject([{ outcome: 'ok' }]);
  });

  test('what lies where systemd does not read, is stale, or would return, is told', async () => {
    const { jarvis } = ground.pair;
    await jarvis.mustSsh(
      'jarvis',
      `systemctl --user enable --quiet mosaic-agent@removed.service
       mkdir -p ~/.config/mosaic/systemd/user
       sed 's/fleet agent/fixed agent/' ${UNITS}/mosaic-agent@.service >~/.config/mosaic/systemd/user/mosaic-agent@.service
       echo '# edited' >>${UNITS}/mosaic-agent@.service`,
    );
    const all = await until(async () => {
      const now = await findings(jarvis, 'jarvis');
      if (found(now, 'STALE-UNIT').length === 0) throw new Error(JSON.stringify(now));
      return now;
    }, SOON);
    expect(found(all, 'STALE-UNIT')).toMatchObject([{ fix: { kind: 'reload-units' } }]);
    expect(found(all, 'returns at boot')).toMatchObject([{ what: 'removed' }]);
    expect(found(all, 'unread unit')).toMatchObject([{ what: expect.stringContaining('/mosaic/systemd/user/') }]);
    await jarvis.mustSsh('jarvis', 'systemctl --user disable --quiet mosaic-agent@removed.service');
  });
});

describe('other hosts', () => {
  test('--all tells of each; one whose cable is cut is a finding within its deadline, and the whole is partial', async () => {
    const { jarvis, dragon } = ground.pair;
    const both = await jarvis.fleet('jarvis', ['doctor', '--all', '-o', 'json']);
    expect(both.exitCode).toBe(0);
    expect(JSON.parse(both.stdout)).toMatchObject({
      complete: true,
      hosts: [
        { host: 'W-jarvis', asked: true },
        { host: 'dragon-lin', asked: true },
      ],
    });
    await dragon.cutCable();
    try {
      const cut = await jarvis.fleet('jarvis', ['doctor', '--all', '-o', 'json'], { timeoutMs: 30_000 });
      expect(cut.exitCode).toBe(3);
      const [, there] = JSON.parse(cut.stdout).hosts;
      expect(there).toMatchObject({
        host: 'dragon-lin',
        asked: false,
        findings: expect.arrayContaining([expect.objectContaining({ outcome: 'failed' })]),
      });
    } finally {
      await dragon.mendCable();
    }
    await untilWhole(ground.pair);
  });

  test('control is changed over ssh in the host’s own file, keeping the rest, and counts at once', async () => {
    const { jarvis, dragon } = ground.pair;
    const policy = '~/.config/fleet/host-policy.json';
    await dragon.mustSsh('jwoltje', `echo '{"control":"send","takeover":false}' >${policy}`);
    const told = await jarvis.fleet('jarvis', ['host', 'control', 'dragon-lin', 'deploy']);
    expect(told).toMatchObject({
      exitCode: 0,
      stdout: 'dragon-lin/jwoltje: control send -> deploy, takeover no, for other cells observe, takeover no\n',
    });
    expect(JSON.parse(await dragon.mustSsh('jwoltje', `cat ${policy}`))).toMatchObject({
      control: 'deploy',
      takeover: false,
    });
    await until(async () => {
      const shown = await jarvis.fleet('jarvis', ['host', 'control', 'dragon-lin']);
      if (!shown.stdout.includes('control deploy')) throw new Error(shown.stdout + shown.stderr);
      return true;
    }, SOON);
  });

  test('a mend for another host is the command that makes it there', async () => {
    const { exitCode, stderr } = await ground.pair.jarvis.fleet('jarvis', ['doctor', 'dragon-lin', '--fix', '--yes']);
    expect(exitCode).toBe(8);
    expect(stderr).toMatch(/ssh -t -l jwoltje dragon-lin \.local\/bin\/fleet doctor --fix/);
  });
});

describe('--fix', () => {
  test('enables and reloads what it showed, touches no session, and finds nothing of it afterwards', async () => {
    const { jarvis } = ground.pair;
    const before = workload();
    const { exitCode, stdout, stderr } = await jarvis.fleet('jarvis', ['doctor', '--fix', '--yes', '-o', 'json'], {
      timeoutMs: 60_000,
    });
    const { fixes, findings: after } = JSON.parse(stdout);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(fixes.map(({ target, outcome }: { target: string; outcome: string }) => `${target} ${outcome}`)).toEqual(
      expect.arrayContaining([HOLDER, ...AGENT_UNITS].map((unit) => `${unit} done`)),
    );
    expect(found(after, 'BOOT-ENABLE')).toEqual([]);
    expect(found(after, 'STALE-UNIT')).toEqual([]);
    expect(workload()).toEqual(before);
  });

  test('after the power cord every agent is back by itself, and no other', async () => {
    const { jarvis } = ground.pair;
    await jarvis.pullCord();
    await jarvis.bootAgain();
    await until(async () => {
      const rows = agentsOf(await see(ground.jarvis), 'W-jarvis');
      const running = rows.filter(({ tmux }) => tmux !== null).map(({ agent }) => agent);
      expect(running.sort()).toEqual([...MOSAIC_AGENTS].sort());
      return true;
    }, SOON);
    expect(found(await findings(jarvis, 'jarvis'), 'BOOT-ENABLE')).toEqual([]);
  });
});
