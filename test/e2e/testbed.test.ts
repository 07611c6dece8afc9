/** The ground that the other end-to-end tests stand on: what a host of the bed is, and what each fault really does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootMosaicPair, type MosaicPair, startMosaic } from '../helpers/mosaic.ts';
import { pidsIn } from '../helpers/testbed/cgroup.ts';
import { keepEvidence } from '../helpers/testbed/evidence.ts';
import type { Host } from '../helpers/testbed/host.ts';
import { netnsOf, runFolder } from '../helpers/testbed/run-folder.ts';
import { Testbed } from '../helpers/testbed/testbed.ts';
import { until } from '../helpers/until.ts';

let bed: Testbed;
let pair: MosaicPair;

keepEvidence(() => bed);

beforeAll(async () => {
  bed = await Testbed.start();
  pair = await bootMosaicPair(bed, { heartbeatIntervalSeconds: 1, jarvis: { ownClock: true } });
});

afterAll(async () => {
  await bed?.stop();
});

/** What a connection to sshd of `to` ends in, tried for a second. */
const dial = async (from: Host, user: string, to: Host): Promise<'open' | 'refused' | 'no answer'> => {
  const knock = `timeout 1 bash -c 'exec 3<>/dev/tcp/${to.address}/22 && read -r line <&3'`;
  const { exitCode } = await from.ssh(user, knock);
  return exitCode === 0 ? 'open' : exitCode === 124 ? 'no answer' : 'refused';
};

/** A machine that has much to do may need more than that second. */
const untilOpen = (from: Host, user: string, to: Host) =>
  until(async () => (await dial(from, user, to)) === 'open', { timeoutMs: 30_000 });

describe('the two machines of the first users', () => {
  test('W-jarvis runs its stubs on the fleet socket, its units active, exited and disabled', async () => {
    const sessions = await pair.jarvis.mustSsh('jarvis', `tmux -L mosaic-factory list-panes -aF '#{session_name}'`);
    expect(sessions.trim().split('\n')).toEqual([
      '_holder',
      'canary-pi',
      'dogfood-coder',
      'dogfood-orchestrator',
      'dogfood-reviewer',
    ]);
    const unit = await pair.jarvis.mustSsh(
      'jarvis',
      'systemctl --user show -P ActiveState -P SubState -P UnitFileState mosaic-agent@canary-pi',
    );
    expect(unit.trim().split('\n')).toEqual(['active', 'exited', 'disabled']);
    expect(await pair.jarvis.mustSsh('jarvis', 'loginctl show-user jarvis -P Linger')).toBe('yes\n');
  });

  test('every agent of the roster beats by itself, with the pid of its pane', async () => {
    const read = () => pair.jarvis.mustSsh('jarvis', 'cat ~/.config/mosaic/fleet/run/canary-pi.hb');
    const first = await read();
    const pid = /^pid=(\d+)$/m.exec(first)?.[1];
    expect(pair.jarvis.workload().map((process) => String(process.pid))).toContain(pid);
    await until(async () => /ts=(\d+)/.exec(await read())?.[1] !== /ts=(\d+)/.exec(first)?.[1], { timeoutMs: 30_000 });
  });

  test('dragon-lin runs node in the group coder0 on the default socket', async () => {
    const format = `'#{session_name} #{session_group} #{pane_current_command}'`;
    const show = () => pair.dragon.mustSsh('jwoltje', `tmux list-panes -aF ${format}`);
    await until(async () => (await show()) === 'coder0-0 coder0 node\n', { timeoutMs: 30_000 });
  });

  test('jarvis can log in to dragon-lin, and nobody the other way round', async () => {
    const there = await pair.jarvis.mustSsh('jarvis', 'ssh -o BatchMode=yes jwoltje@dragon-lin hostname');
    expect(there).toBe('dragon-lin\n');
    const back = 'ssh -o BatchMode=yes -o StrictHostKeyChecking=no jarvis@W-jarvis true';
    expect((await pair.dragon.ssh('jwoltje', back)).stderr).toContain('Permission denied');
  });
});

describe('faults', () => {
  test('packets over a cut cable vanish, the panes live on, and a mended cable carries again', async () => {
    const before = pair.dragon.workload();
    await pair.dragon.cutCable();
    expect(await dial(pair.jarvis, 'jarvis', pair.dragon)).toBe('no answer');
    await pair.dragon.mendCable();
    await untilOpen(pair.jarvis, 'jarvis', pair.dragon);
    expect(before.length).toBeGreaterThan(1);
    expect(pair.dragon.workload()).toEqual(before);
  });

  test('blocked dialling stops one direction only', async () => {
    await pair.dragon.blockDialling(pair.jarvis);
    expect(await dial(pair.dragon, 'jwoltje', pair.jarvis)).toBe('no answer');
    await untilOpen(pair.jarvis, 'jarvis', pair.dragon);
    await pair.dragon.allowDialling();
    await untilOpen(pair.dragon, 'jwoltje', pair.jarvis);
  });

  test('a frozen process keeps its socket and says nothing until it is thawed', async () => {
    const listen = `node -e 'require("net").createServer((s)=>s.end("hello")).listen(7000)'`;
    await pair.dragon.mustSsh('jwoltje', `setsid -f ${listen} </dev/null >/dev/null 2>&1`);
    const ask = () => pair.dragon.ssh('jwoltje', `timeout 1 bash -c 'cat </dev/tcp/127.0.0.1/7000'`);
    await until(async () => (await ask()).stdout === 'hello', { timeoutMs: 30_000 });
    const pids = (await pair.dragon.asRoot("pgrep -f '^node -e'")).trim().split('\n').map(Number);
    await pair.dragon.freeze(pids);
    expect((await ask()).exitCode).toBe(124);
    await pair.dragon.thaw(pids);
    await until(async () => (await ask()).stdout === 'hello', { timeoutMs: 30_000 });
    for (const pid of pids) await pair.dragon.kill(pid, 'SIGKILL');
  });

  test('a full disk refuses every write, and takes them again when it is freed', async () => {
    await pair.dragon.fillDisk();
    const write = () => pair.dragon.ssh('jwoltje', 'head -c 1000000 /dev/zero > ~/more');
    expect((await write()).stderr).toContain('No space left on device');
    await pair.dragon.freeDisk();
    expect((await write()).exitCode).toBe(0);
  });

  test('a moved clock is the whole host’s, at once, for running programs too; monotonic time goes on', async () => {
    const program = 'import time\nwhile input(): print(int(time.time()), int(time.monotonic()), flush=True)';
    await pair.jarvis.writeFile('/home/jarvis/clock.py', program, { owner: 'jarvis' });
    await pair.jarvis.mustSsh('jarvis', `tmux -L clock new-session -d -s clock 'stty -echo; python3 ~/clock.py'`);
    const running = async () => {
      await pair.jarvis.mustSsh('jarvis', 'tmux -L clock clear-history; tmux -L clock send-keys -R -t clock x Enter');
      const look = () => pair.jarvis.mustSsh('jarvis', 'tmux -L clock capture-pane -p -t clock');
      return until(async () => /^(?<wall>\d{10}) (?<monotonic>\d+)$/m.exec(await look())?.groups, {
        timeoutMs: 30_000,
      });
    };
    const hoursOff = (seconds: number) => Math.round((seconds - Date.now() / 1_000) / 3_600) + 0;
    const first = await running();
    expect(hoursOff(Number(first.wall))).toBe(0);
    for (const hours of [1, -1, 0]) {
      await pair.jarvis.moveClock(hours * 3_600_000);
      expect(hoursOff(Number((await running()).wall))).toBe(hours);
      expect(hoursOff(Number(await pair.jarvis.mustSsh('jarvis', 'date +%s')))).toBe(hours);
      const unit = await pair.jarvis.mustSsh(
        'jarvis',
        'systemctl --user restart mosaic-agent@canary-pi; systemctl --user show -P ActiveEnterTimestamp --timestamp=unix mosaic-agent@canary-pi',
      );
      expect(hoursOff(Number(unit.replace('@', '')))).toBe(hours);
    }
    expect(Number((await running()).monotonic) - Number(first.monotonic)).toBeLessThan(60);
    await pair.jarvis.mustSsh('jarvis', 'tmux -L clock kill-server');
  });

  test('a pulled cord ends everything at once; the same disk boots again, and its fleet only by hand', async () => {
    await pair.jarvis.mustSsh('jarvis', 'echo kept > ~/kept');
    await pair.jarvis.pullCord();
    expect(pidsIn(`${bed.runId}/0`)).toEqual([]);
    await pair.jarvis.bootAgain();
    expect(await pair.jarvis.mustSsh('jarvis', 'cat ~/kept')).toBe('kept\n');
    expect(pair.jarvis.workload()).toEqual([]);
    await startMosaic(pair.jarvis);
    expect(pair.jarvis.workload().map((process) => process.kind)).toEqual(['tmux server', ...Array(5).fill('pane')]);
  });

  test('a clean power-off lets the host end its services first', async () => {
    await pair.dragon.powerOff();
    await pair.dragon.bootAgain();
    const lastBoot = await pair.dragon.asRoot('journalctl -b -1 --no-pager -o cat');
    expect(lastBoot).toContain('Stopped ssh.service');
  });
});

describe('what a run leaves behind', () => {
  /** Of this test run alone: another may be under way on this machine. */
  const id = (n: number): string => `t${n}${String(process.pid % 10_000)}`;

  const isGone = (runId: string): boolean =>
    pidsIn(runId).length === 0 &&
    !existsSync(runFolder(runId)) &&
    !existsSync(`/run/netns/${netnsOf(runId)}`) &&
    !readFileSync('/proc/self/mountinfo', 'utf8').includes(`${runFolder(runId)}/`);

  /** A test process of its own with one running host. */
  const otherRun = (runId: string, ...args: string[]) => {
    const program = `
      import { Testbed } from '${import.meta.dirname}/../helpers/testbed/testbed.ts';
      const bed = await Testbed.start({ runId: '${runId}' });
      await bed.boot('short-lived', { users: [] });
      console.log('up');
      if (process.argv.includes('stop')) await bed.stop();
      else setInterval(() => {}, 1_000);`;
    return spawn(process.execPath, ['--input-type=module-typescript', '-e', program, '--', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  };

  test('nothing after a stop', async () => {
    const other = otherRun(id(1), 'stop');
    await once(other, 'exit');
    expect(other.exitCode).toBe(0);
    expect(isGone(id(1))).toBe(true);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('nothing after %s of the test process', async (signal) => {
    const runId = signal === 'SIGINT' ? id(2) : id(3);
    const other = otherRun(runId);
    await once(createInterface({ input: other.stdout }), 'line');
    expect(isGone(runId)).toBe(false);
    other.kill(signal);
    await until(() => isGone(runId), { timeoutMs: 60_000 });
  });

  test('what a killed reaper could not remove is removed by the next run', async () => {
    const other = otherRun(id(4));
    await once(createInterface({ input: other.stdout }), 'line');
    const reaper = readFileSync(`${runFolder(id(4))}/reaper.pid`, 'utf8');
    process.kill(Number(reaper), 'SIGKILL');
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(isGone(id(4))).toBe(false);
    await (await Testbed.start({ runId: id(5) })).stop();
    expect(isGone(id(4))).toBe(true);
  });
});
