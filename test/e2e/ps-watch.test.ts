/** What happens on one machine, as `fleet ps -w` on the other tells it, and what comes in that no reader may choke on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { MOSAIC_AGENTS, startMosaic } from '../helpers/mosaic.ts';
import { RowFeed } from '../helpers/row-feed.ts';
import { until } from '../helpers/until.ts';

const ground = fleetGround({ heartbeatIntervalSeconds: 2 });

/** Of dragon-lin's user, told of W-jarvis; and the other way round. */
let onDragon: RowFeed;
let onJarvis: RowFeed;

beforeAll(async () => {
  onDragon = await RowFeed.start(ground.dragon);
  onJarvis = await RowFeed.start(ground.jarvis);
});
afterAll(async () => {
  await onDragon?.[Symbol.asyncDispose]();
  await onJarvis?.[Symbol.asyncDispose]();
});

const JARVIS = 'home/W-jarvis/jarvis';
const DRAGON = 'home/dragon-lin/jwoltje';
const asJarvis = (command: string) => ground.pair.jarvis.mustSsh('jarvis', command);
const asJwoltje = (command: string) => ground.pair.dragon.mustSsh('jwoltje', command);
const FLEET_HOME = '~/.config/mosaic/fleet';

/** Anything that a terminal would take as more than text. */
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

describe('fleet ps -w', () => {
  test('tells an agent that is busy, mute, and speaks again', async () => {
    const type = (line: string) => asJarvis(`tmux -L mosaic-factory send-keys -t =dogfood-coder: '${line}' Enter`);
    const coder = `${JARVIS}/dogfood-coder`;
    await type('busy');
    await onDragon.untilRow(coder, (row) => row?.heartbeat.status === 'busy' && row.readiness === 'working');
    await type('mute');
    await onDragon.untilRow(coder, (row) => row?.readiness === 'stale' && row.reason === 'no beat', 20_000);
    await type('beat');
    await onDragon.untilRow(coder, (row) => row?.readiness === 'working', 30_000);
  });

  test('tells the title that a program sets, made safe', async () => {
    const coder = `${JARVIS}/dogfood-coder`;
    await asJarvis(`tmux -L mosaic-factory send-keys -t =dogfood-coder: 'title a b;c é 日本' Enter`);
    await onDragon.untilRow(coder, (row) => row?.tmux?.title === 'a b;c é 日本');
  });

  test('tells a second agent in the same session as several panes, and the only one left as the agent again', async () => {
    const program = `env MOSAIC_AGENT_NAME=other python3 ${FLEET_HOME}/dogfood-agent.py`;
    await asJarvis(`tmux -L mosaic-factory new-session -d -s twins "${program}"`);
    const twins = `${JARVIS}/mosaic-factory:twins`;
    const address = await until(() => [`${JARVIS}/twins`, twins].find((each) => onDragon.row(each) !== undefined), {
      timeoutMs: 20_000,
    });
    await onDragon.untilRow(address, (row) => row?.runtime_seen === 'stub');
    await asJarvis('tmux -L mosaic-factory kill-session -t =twins');
    await onDragon.untilRow(address, (row) => row === undefined);
  });

  test('tells a unit that failed of an agent without session', async () => {
    const reviewer = `${JARVIS}/dogfood-reviewer`;
    await asJarvis(
      `mv ${FLEET_HOME}/start-agent.sh ${FLEET_HOME}/away; systemctl --user restart mosaic-agent@dogfood-reviewer || true`,
    );
    await onDragon.untilRow(
      reviewer,
      (row) =>
        row?.readiness === 'dead' &&
        row.reason === 'unit failed: exit-code' &&
        row.attention?.need === 'failed' &&
        row.unit?.active_state === 'failed',
    );
    await asJarvis(
      `mv ${FLEET_HOME}/away ${FLEET_HOME}/start-agent.sh; systemctl --user restart mosaic-agent@dogfood-reviewer`,
    );
    await onDragon.untilRow(reviewer, (row) => row?.readiness === 'working' && row.attention === null);
  });

  test('tells a unit file that is newer than what systemd loaded', async () => {
    const canary = `${JARVIS}/canary-pi`;
    await asJarvis('echo "# edited" >> ~/.config/systemd/user/mosaic-agent@.service');
    await onDragon.untilRow(canary, (row) => row?.flags.includes('STALE-UNIT'), 30_000);
    await asJarvis('systemctl --user daemon-reload');
    await onDragon.untilRow(canary, (row) => row?.flags.includes('STALE-UNIT') === false, 30_000);
  });

  test('tells sessions of one group as one row, its members named', async () => {
    await asJwoltje('tmux new-session -d -t coder0 -s coder0-1');
    await onJarvis.untilRow(`${DRAGON}/coder0-0`, (row) => row?.tmux?.group_members.join() === 'coder0-0,coder0-1');
    expect(onJarvis.row(`${DRAGON}/coder0-1`)).toBeUndefined();
    await asJwoltje('tmux kill-session -t =coder0-1');
    await onJarvis.untilRow(`${DRAGON}/coder0-0`, (row) => row?.tmux?.group_members.join() === 'coder0-0');
  });

  test('tells every agent of a tmux server that is killed as dead and missing, and as back when they are', async () => {
    const { pair } = ground;
    const others = pair.jarvis.workload().filter(({ comm }) => comm !== 'python3').length;
    expect(others).toBeGreaterThan(0);
    await asJarvis("kill -9 $(tmux -L mosaic-factory display-message -p '#{pid}')");
    for (const name of MOSAIC_AGENTS) {
      await onDragon.untilRow(
        `${JARVIS}/${name}`,
        (row) => row?.readiness === 'dead' && row.reason === 'no session' && row.flags.includes('MISSING'),
        30_000,
      );
    }
    // The units of such agents notice nothing, and it is they who say so.
    expect(onDragon.row(`${JARVIS}/canary-pi`)?.unit).toMatchObject({ active_state: 'active', sub_state: 'exited' });
    expect(onDragon.row(`${JARVIS}/notes`)?.tmux?.dead).toBe(false);
    await asJarvis("systemctl --user stop 'mosaic-agent@*' mosaic-tmux-holder");
    await startMosaic(pair.jarvis);
    for (const name of MOSAIC_AGENTS) {
      await onDragon.untilRow(`${JARVIS}/${name}`, (row) => row?.readiness === 'working', 30_000);
    }
  });

  test('tells of a user manager that is stopped, and keeps the rows of the sessions that live without it', async () => {
    const { pair } = ground;
    const before = pair.dragon.workload();
    // The host-agent is a unit of that manager, and goes with it.
    await pair.dragon.asRoot('systemctl stop user@1000.service', { timeoutMs: 60_000 });
    await until(() => onJarvis.link('dragon-lin') === 'lost stopped', { timeoutMs: 20_000 });
    // The host is told before its rows; idle for long it would be available.
    const lives = (readiness: string | undefined) => readiness === 'working' || readiness === 'available';
    await onJarvis.untilRow(`${DRAGON}/coder0-0`, (row) => row?.current === false && lives(row.readiness));
    expect(pair.dragon.workload()).toEqual(before);
    await pair.dragon.asRoot('systemctl start user@1000.service');
    await onJarvis.untilRow(`${DRAGON}/coder0-0`, (row) => row?.current, 20_000);
    expect(pair.dragon.workload()).toEqual(before);
  });
});

describe('what no reader may choke on', () => {
  test('names and titles of sessions: every one a row, none printed as a terminal would obey it', async () => {
    const names = [
      'two words',
      'a/b',
      '-dash',
      'dot.ted:name',
      `q'uo"te`,
      '\u{1f600}日本',
      '%25',
      'line\nbreak',
      'esc\u001b[31mred',
      '\u202egnp',
      '$(id)',
      '#{pid}',
    ];
    const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
    const program = quoted(`printf '\\033]2;\\033[2Jhi\\a\\303\\050\\342\\200\\256\\033\\\\'; exec sleep 1000`);
    const sessionIds = async () => (await asJwoltje("tmux -u list-sessions -F '#{session_id}'")).trim().split('\n');
    const others = await sessionIds();
    const start = names.map((name) => `tmux -u new-session -d -s ${quoted(name)} ${program}`);
    await asJwoltje(`${start.join('; ')}; true`);
    const all = await sessionIds();
    expect(all).toHaveLength(names.length + others.length);
    const rows = async () =>
      (await ground.pair.jarvis.fleet('jarvis', ['ps', '--host', 'dragon-lin', '-o', 'name'])).stdout;
    await until(async () => (await rows()).trim().split('\n').length === all.length, { timeoutMs: 30_000 });
    for (const words of [
      ['ps'],
      ['ps', '-o', 'wide'],
      ['ps', '-o', 'json'],
      ['ps', '-o', 'ndjson'],
      ['ps', '-o', 'name'],
      ['hosts'],
    ]) {
      for (const [host, user] of [[ground.pair.jarvis, 'jarvis'] as const, [ground.pair.dragon, 'jwoltje'] as const]) {
        const { exitCode, stdout, stderr } = await host.fleet(user, words);
        expect([words, exitCode, RAW.exec(stdout + stderr)]).toEqual([words, 0, null]);
      }
    }
    const { stdout } = await ground.pair.jarvis.fleet('jarvis', ['ps', '-o', 'ndjson', '--host', 'dragon-lin']);
    const seen = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { tmux: { session: string }; address: string });
    expect(seen).toHaveLength(all.length);
    expect(new Set(seen.map(({ address }) => address)).size).toBe(all.length);
    for (const { address } of seen) expect(address).toMatch(/^home\/dragon-lin\/jwoltje\/[^/\s]+$/);
    expect(seen.map(({ tmux }) => tmux.session)).toEqual(
      expect.arrayContaining(['two words', 'a/b', `q'uo"te`, '\u{1f600}日本']),
    );
    expect(onJarvis.raw.filter((line) => RAW.test(line))).toEqual([]);
    const made = all.filter((id) => !others.includes(id));
    await asJwoltje(`for id in ${made.map(quoted).join(' ')}; do tmux kill-session -t "$id"; done`);
    await until(async () => (await rows()).trim() === `${DRAGON}/coder0-0`, { timeoutMs: 30_000 });
  });

  test('rosters, in every way in which one can be broken: told where and why, and no row lost', async () => {
    const roster = `${FLEET_HOME}/roster.yaml`;
    await asJarvis(`cp ${roster} ~/roster.good`);
    // Each stands there at once: in a moment without a roster its agents would be nobody's.
    const put = `mv -fT ${roster}.new ${roster}`;
    const ways: [string, RegExp][] = [
      [`printf '\\000\\377\\376' > ${roster}.new; ${put}`, /roster/],
      [`printf 'agents: [\\n' >> ${roster}`, /roster.*:\d+:\d+/],
      [
        `printf 'version: 1\\ntransport: tmux\\nagents:\\n  - name: "a/b"\\n    runtime: pi\\n' > ${roster}.new; ${put}`,
        /roster.*:4:\d+/,
      ],
      [`printf '&a [*a]' > ${roster}.new; ${put}`, /roster/],
      [`: > ${roster}`, /roster/],
      [`mkdir ~/folder; ln -s ~/folder ${roster}.new; ${put}`, /roster/],
      [`chmod 000 ${roster}`, /roster.*permission|roster.*may not|roster.*EACCES/i],
    ];
    for (const [breakIt, words] of ways) {
      await asJarvis(breakIt);
      await until(
        () =>
          words.test(onDragon.warnings('W-jarvis')) ||
          Promise.reject(new Error(`${breakIt}: ${onDragon.warnings('W-jarvis')}`)),
        { timeoutMs: 30_000 },
      );
      expect(RAW.exec(onDragon.warnings('W-jarvis').replaceAll('\n', ' '))).toBe(null);
      for (const name of MOSAIC_AGENTS) expect(onDragon.row(`${JARVIS}/${name}`)?.managed).toBe(true);
      await asJarvis(`cp ~/roster.good ${roster}.new; ${put}`);
      await until(() => !/roster/.test(onDragon.warnings('W-jarvis')), { timeoutMs: 30_000 });
    }
  });

  test('heartbeats and environment files of every broken kind: clear words, and the rows stay', async () => {
    const canary = `${JARVIS}/canary-pi`;
    const hb = `${FLEET_HOME}/run/canary-pi.hb`;
    const beat = (line: string) => asJarvis(`tmux -L mosaic-factory send-keys -t =canary-pi: '${line}' Enter`);
    await beat('mute');
    // Until it has heard that, its own beat may take the place of ours.
    const shown = () => asJarvis('tmux -L mosaic-factory capture-pane -p -t =canary-pi:');
    await until(async () => (await shown()).includes('done: mute'), { timeoutMs: 20_000 });
    for (const content of [
      '',
      'ts=never\\n',
      '{"ts":',
      '\\000\\377',
      'ts=1e400\\npid=-1\\n',
      '[]',
      'ts=\\033[31m1\\n',
    ]) {
      await asJarvis(`printf '${content}' > ${hb}.new && mv ${hb}.new ${hb}`);
      await onDragon.untilRow(canary, (row) => row?.heartbeat.state === 'invalid');
      await asJarvis(`printf 'ts=%s\\npid=1\\nstatus=ok\\n' $(date +%s) > ${hb}.new && mv ${hb}.new ${hb}`);
      await onDragon.untilRow(canary, (row) => row?.heartbeat.state === 'healthy');
    }
    await onDragon.untilRow(canary, (row) => row?.flags.includes('FOREIGN-HEARTBEAT'));
    await asJarvis(`rm ${hb}; mkdir ${hb}`);
    await onDragon.untilRow(canary, (row) => row?.heartbeat.state === 'invalid' || row?.heartbeat.state === 'missing');
    await asJarvis(`rmdir ${hb}`);
    await beat('beat');
    await onDragon.untilRow(
      canary,
      (row) => row?.heartbeat.state === 'healthy' && !row.flags.includes('FOREIGN-HEARTBEAT'),
    );

    const env = `${FLEET_HOME}/agents/canary-pi.env`;
    await asJarvis(`cp ${env} ~/canary.good`);
    for (const content of [
      '\\000\\377',
      'MOSAIC_AGENT_NAME\\n=\\n',
      'MOSAIC_HEARTBEAT_INTERVAL=never\\n',
      'A="open\\n',
    ]) {
      await asJarvis(`printf '${content}' > ${env}.new && mv ${env}.new ${env}`);
      await until(
        () =>
          /canary-pi\.env/.test(onDragon.warnings('W-jarvis')) ||
          Promise.reject(new Error(`${content}: ${onDragon.warnings('W-jarvis')}`)),
        { timeoutMs: 30_000 },
      );
      expect(onDragon.row(canary)?.readiness).toBe('working');
      await asJarvis(`cp ~/canary.good ${env}`);
      await until(() => !/canary-pi\.env/.test(onDragon.warnings('W-jarvis')), { timeoutMs: 30_000 });
    }
    expect([onDragon.hasEnded, onJarvis.hasEnded]).toEqual([false, false]);
  });
});
