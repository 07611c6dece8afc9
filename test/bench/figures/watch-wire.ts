/**
 * What a host sends while somebody watches an agent at work, against ssh with tmux in it for the same minute: one recording
 * of twenty seconds played three times, both at the same time. Payload of TCP, encryption included.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { until } from '../../helpers/until.ts';
import type { Bench } from '../harness/bench.ts';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { DrawnTerminal } from '../harness/local-terminals.ts';
import { LoopbackSshd, whyNoSshd } from '../harness/loopback-sshd.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { WarmTypist } from '../harness/warm-typist.ts';
import { Watching } from '../harness/watching.ts';
import { countedPair, type WatchedPair } from '../places/watched-pair.ts';

const ROUNDS = 3;
const ROUND_TIMEOUT_MS = 60_000;
const SETTLE_MS = 3_000;
const IDLE_MS = 10_000;
const PROGRAM = fileURLToPath(new URL('../programs/typical-agent.mjs', import.meta.url));

export const watchWire: Figure = figure({
  name: 'watch-wire',
  about: `bytes from the host for a minute of a typical agent, against ssh and tmux`,
  place: countedPair,
  async *measure(place: WatchedPair, bench: Bench) {
    await using stack = new AsyncDisposableStack();
    const uplink = place.uplink as NonNullable<WatchedPair['uplink']>;
    const { dragon, jarvis } = place;
    const sshd = whyNoSshd() === null ? stack.use(await LoopbackSshd.start(bench.folder)) : null;
    const agent = await place.agent('typical', `exec '${process.execPath}' '${PROGRAM}'`);
    await pause(SETTLE_MS);
    const idleUp = uplink.up;
    await pause(IDLE_MS);
    const idlePerSecond = (uplink.up - idleUp) / (IDLE_MS / 1_000);

    const watching = stack.use(new Watching(jarvis.local, agent));
    const tmux = stack.use(DrawnTerminal.local(dragon, agent));
    const overSsh = sshd ? stack.use(DrawnTerminal.overSsh(sshd, dragon, agent)) : null;
    const typist = stack.use(WarmTypist.start(dragon, agent));
    await watching.first();
    if (overSsh) await until(() => overSsh.bytes > 0, { timeoutMs: ROUND_TIMEOUT_MS });
    await pause(SETTLE_MS);

    const load = new MachineLoad();
    const before = { up: uplink.up, down: uplink.down, tmux: tmux.bytes, frames: watching.frames };
    const sshBefore = { down: sshd?.traffic.down ?? 0, drawn: overSsh?.bytes ?? 0 };
    let rows = 0;
    let keyframes = 0;
    watching.onFrame(({ frame }) => {
      rows += frame.rows.length;
      keyframes += Number(frame.keyframe);
    });
    const startMs = performance.now();
    const shows = (word: string): boolean =>
      !!watching.log.picture?.rows.some((row) => row.some(({ text }) => text.startsWith(word)));
    for (let round = 1; round <= ROUNDS; round++) {
      typist.type('g');
      await until(() => shows(`done ${round}`), { timeoutMs: ROUND_TIMEOUT_MS });
    }
    const seconds = (performance.now() - startMs) / 1_000;
    const up = uplink.up - before.up;
    const forTheScreen = up - idlePerSecond * seconds;
    const tmuxBytes = tmux.bytes - before.tmux;
    const sshBytes = sshd ? sshd.traffic.down - sshBefore.down : null;
    yield measured('watch-wire.over-ssh', forTheScreen / (sshBytes ?? tmuxBytes), 'times', null, {
      against: sshBytes === null ? `output of a tmux client: ${whyNoSshd()}` : 'ssh with tmux attach in it',
      host_sends_bytes: up,
      of_it_without_any_watcher: idlePerSecond * seconds,
      host_hears_bytes: uplink.down - before.down,
      ssh_sends_bytes: sshBytes,
      tmux_over_ssh_draws_bytes: overSsh ? overSsh.bytes - sshBefore.drawn : null,
      tmux_draws_bytes: tmuxBytes,
      seconds,
      frames: watching.frames - before.frames,
      rows,
      keyframes,
      machine_busy_percent: load.busyPercent,
    });
    await place.end(agent);
  },
});
