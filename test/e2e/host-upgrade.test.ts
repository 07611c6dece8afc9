/** `fleet host upgrade` from one machine to the other, over a tunnel: kept, taken back, cut off; no session notices. */
import { beforeAll, describe, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { untilWhole } from '../helpers/fleet-pair.ts';
import { agentsOf, hostAgentOf, see } from '../helpers/fleet-seen.ts';
import { contentOf } from '../helpers/machine-trace.ts';
import { buildId, type OtherBuild, productId, unpackOtherBuild } from '../helpers/other-build.ts';
import { until } from '../helpers/until.ts';

const GOOD: OtherBuild = { version: '1.0.1', digest: '00000000000a' };
const CRASHES: OtherBuild = {
  version: '1.0.2',
  digest: '00000000000b',
  hostAgent: `process.stderr.write('fleet-host-agent: born broken\\n'); process.exit(1);\n`,
};
const SILENT: OtherBuild = { version: '1.0.3', digest: '00000000000c', hostAgent: 'setInterval(() => {}, 1_000);\n' };

const ground = fleetGround({ hostAdd: ['--link', 'ssh'] });

const TUNNEL = "'fleet-tunnel@dragon-lin:jwoltje.service'";
const UNIT = '~/.config/systemd/user/fleet-host-agent.service';

interface Answer {
  to: string;
  hosts: { id: string; address: string; outcome: string; reason: string | null; from: string | null }[];
}

/** `fleet host upgrade` of another build, on W-jarvis. */
const upgrade = async (build: OtherBuild, ...words: string[]) => {
  const command = `~/${buildId(build)}/bin/fleet host upgrade -o json ${words.join(' ')}`;
  const { exitCode, stdout, stderr } = await ground.pair.jarvis.ssh('jarvis', command, { timeoutMs: 120_000 });
  return { exitCode, stderr, answer: (stdout === '' ? null : JSON.parse(stdout)) as Answer };
};

/** What runs on dragon-lin: the version that `current` and the unit name, and the one that reports. */
const versions = async () => [
  (await ground.pair.dragon.mustSsh('jwoltje', 'basename "$(readlink ~/.local/share/fleet/current)"')).trim(),
  /versions\/([^/]+)\//.exec(await ground.pair.dragon.mustSsh('jwoltje', `cat ${UNIT}`))?.[1],
  hostAgentOf(await see(ground.jarvis), 'dragon-lin').build,
];

/** The host-agent of W-jarvis hears from the controller which one reports. */
const untilVersions = (expected: unknown) =>
  until(
    async () => {
      expect(await versions()).toEqual(expected);
      return true;
    },
    { timeoutMs: 30_000 },
  );

/** All that an upgrade must leave as it is: sessions by their processes, the operator's files, the tunnel. */
const untouched = async () => {
  const { pair, dragon } = ground;
  return [
    pair.jarvis.workload(),
    pair.dragon.workload(),
    await contentOf(dragon, '.config/mosaic'),
    await contentOf(dragon, '.config/fleet'),
    await contentOf(dragon, 'coder'),
    await pair.jarvis.mustSsh('jarvis', `systemctl --user show -P MainPID ${TUNNEL}`),
  ];
};

/** Its own unit tidies up, when the host-agent reports already. */
const noTrace = async () => {
  const { dragon } = ground.pair;
  const left = `ls -A ~/.local/state/fleet | grep upgrade
    systemctl --user list-units --all --plain --no-legend "fleet-upgrade*"`;
  await until(
    async () => {
      expect(await dragon.mustSsh('jwoltje', left)).toBe('');
      return true;
    },
    { timeoutMs: 30_000 },
  );
};

beforeAll(async () => {
  const { jarvis, dragon } = ground.pair;
  for (const build of [GOOD, CRASHES, SILENT]) await unpackOtherBuild(jarvis, 'jarvis', build);
  const files = 'mkdir -p ~/.config/mosaic/fleet/run && echo kept > ~/.config/mosaic/fleet/run/old.hb';
  await dragon.mustSsh('jwoltje', `${files} && echo FLEET_LOG_LEVEL='"info"' > ~/.config/fleet/fleet-host-agent.env`);
  const launched = 'tmux -u new-session -d -s launched -e MOSAIC_FLEET_LAUNCHER=1.0.0';
  await dragon.mustSsh('jwoltje', launched);
  await until(async () => agentsOf(await see(ground.jarvis), 'dragon-lin').length === 2, { timeoutMs: 40_000 });
});

describe('fleet host upgrade', () => {
  test('says with --dry-run what it would do, and asks before several hosts', async () => {
    const before = [await versions(), await untouched()];
    const dry = await upgrade(GOOD, '--dry-run');
    expect([dry.exitCode, dry.answer.hosts.map(({ id, outcome }) => `${id} ${outcome}`)]).toEqual([
      0,
      ['W-jarvis/jarvis would', 'dragon-lin/jwoltje would'],
    ]);
    const asked = await upgrade(GOOD);
    expect([asked.exitCode, asked.stderr]).toEqual([
      2,
      expect.stringMatching(/^fleet: upgrade 2 host-agents to 1\.0\.1-\S+: W-jarvis.*dragon-lin\/jwoltje\? .*--yes$/m),
    ]);
    expect([await versions(), await untouched()]).toEqual(before);
  });

  test('brings a host to this version; its sessions, files and tunnel stay, and older launches are flagged', async () => {
    const before = await untouched();
    const { exitCode, answer, stderr } = await upgrade(GOOD, 'dragon-lin');
    expect([exitCode, answer, stderr.match(/^fleet: .*/gm)]).toEqual([
      0,
      {
        schema: 'fleet.upgrade/v1',
        to: buildId(GOOD),
        hosts: [
          {
            id: 'dragon-lin/jwoltje',
            address: 'home/dragon-lin/jwoltje',
            outcome: 'upgraded',
            reason: null,
            from: productId(),
          },
        ],
      },
      null,
    ]);
    await untilVersions([buildId(GOOD), buildId(GOOD), buildId(GOOD)]);
    expect(await untouched()).toEqual(before);
    await noTrace();
    await until(
      async () => {
        const rows = agentsOf(await see(ground.jarvis), 'dragon-lin');
        const older = rows.filter(({ flags }) => flags.includes('VERSION-SKEW')).map(({ agent }) => agent);
        expect(older).toEqual(['launched']);
        return true;
      },
      { timeoutMs: 30_000 },
    );
  });

  test('changes nothing the second time', async () => {
    const unit = await ground.pair.dragon.mustSsh('jwoltje', 'systemctl --user show -P MainPID fleet-host-agent');
    const { exitCode, answer, stderr } = await upgrade(GOOD, 'dragon-lin');
    expect([exitCode, answer.hosts[0]?.outcome, stderr]).toEqual([
      0,
      'unchanged',
      expect.stringContaining('nothing had to be changed\n'),
    ]);
    expect(await ground.pair.dragon.mustSsh('jwoltje', 'systemctl --user show -P MainPID fleet-host-agent')).toBe(unit);
  });

  test.each([
    ['ends at once', CRASHES, /born broken/],
    ['never speaks', SILENT, /did not report with 1\.0\.3-\S+ within 8 s/],
  ])('takes a host back whose new host-agent %s, says so, and begins no other', async (_, build, why) => {
    const { pair, dragon } = ground;
    const before = [await untouched(), await pair.dragon.mustSsh('jwoltje', `sha256sum ${UNIT}`), await versions()];
    const { exitCode, answer, stderr } = await upgrade(
      build,
      'dragon-lin',
      'jwoltje@dragon-lin',
      '--deadline',
      '8',
      '--yes',
    );
    expect([exitCode, answer.hosts.map(({ outcome }) => outcome)]).toEqual([1, ['rolled-back', 'not-begun']]);
    expect(answer.hosts[0]).toMatchObject({ from: buildId(GOOD), reason: expect.stringMatching(why) });
    expect(stderr).toMatch(/^go on with: fleet host upgrade jwoltje@dragon-lin$/m);
    await untilVersions(before[2]);
    expect([await untouched(), await pair.dragon.mustSsh('jwoltje', `sha256sum ${UNIT}`)]).toEqual(before.slice(0, 2));
    await noTrace();
    await until(async () => (await see(dragon)).complete, { timeoutMs: 30_000 });
  });

  test('that is killed on its way leaves a host that goes back by itself', async () => {
    const { pair } = ground;
    const before = await untouched();
    const words = `host upgrade dragon-lin --deadline 5 2>&1`;
    const running = await pair.jarvis.start('jarvis', `echo $$; exec ~/${buildId(SILENT)}/bin/fleet ${words}`);
    const lines: string[] = [];
    running.onLine((line) => lines.push(line));
    await until(() => lines.some((line) => /^ok switch/.test(line)), { timeoutMs: 90_000 });
    await pair.jarvis.kill(Number(lines[0]), 'SIGKILL');
    const guard = await pair.dragon.mustSsh('jwoltje', 'systemctl --user show -P ActiveState fleet-upgrade.timer');
    expect(guard).toBe('active\n');
    // Its time has come, without a minute of waiting for it.
    await pair.dragon.mustSsh('jwoltje', 'systemctl --user start fleet-upgrade.service');
    await untilVersions([buildId(GOOD), buildId(GOOD), buildId(GOOD)]);
    expect(await untouched()).toEqual(before);
    await noTrace();
  });

  test('brings this machine along without names, as fleet up does, and keeps what is in use', async () => {
    const { pair, jarvis } = ground;
    const before = [pair.jarvis.workload(), pair.dragon.workload()];
    const { exitCode, answer } = await upgrade(GOOD, '--yes');
    expect([exitCode, answer.hosts.map(({ id, outcome }) => `${id} ${outcome}`)]).toEqual([
      0,
      ['W-jarvis/jarvis upgraded', 'dragon-lin/jwoltje unchanged'],
    ]);
    await untilWhole(pair);
    await until(async () => hostAgentOf(await see(jarvis), 'W-jarvis').build === buildId(GOOD), { timeoutMs: 30_000 });
    expect([pair.jarvis.workload(), pair.dragon.workload()]).toEqual(before);
  });
});
