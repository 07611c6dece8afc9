/**
 * From a key typed into a pane on dragon-lin until it is seen: by a tmux client attached there, by a watcher on W-jarvis
 * (socket, relay, controller, tunnel), and by tmux over ssh; the same keys at the same time. Added delay: watcher minus client.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench } from '../harness/bench.ts';
import { type Figure, figure, type Measurement, measured } from '../harness/figure.ts';
import { DrawnTerminal } from '../harness/local-terminals.ts';
import { LoopbackSshd, whyNoSshd } from '../harness/loopback-sshd.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { median, summary } from '../harness/statistics.ts';
import { WarmTypist } from '../harness/warm-typist.ts';
import { Watching } from '../harness/watching.ts';
import { type Agent, type WatchedPair, watchedPair } from '../places/watched-pair.ts';

const REACH_MS = 10;
const KEYS = 150;
const UNMEASURED_KEYS = 10;
/** From here on KEYS letters of one column: each is seen once only, and never part of an escape sequence. */
const FIRST_LETTER = 0x048a;
const KEY_TIMEOUT_MS = 5_000;
const SETTLE_MS = 3_000;
/** A person types a key every 40 to 240 ms. */
const pauseBetweenMs = (): number => 40 + Math.random() * 200;

type Eye = 'tmux' | 'watch' | 'ssh';

/** When each eye first saw the letter that is waited for. */
class Sightings {
  readonly eyes: readonly Eye[];
  #letter = '';
  #seen = new Map<Eye, number>();
  #all = Promise.withResolvers<Map<Eye, number>>();

  constructor(eyes: readonly Eye[]) {
    this.eyes = eyes;
  }

  saw(eye: Eye, text: string, atMs: number): void {
    if (this.#letter === '' || this.#seen.has(eye) || !text.includes(this.#letter)) return;
    this.#seen.set(eye, atMs);
    if (this.#seen.size === this.eyes.length) this.#all.resolve(this.#seen);
  }

  async of(letter: string, type: () => void): Promise<Map<Eye, number>> {
    this.#letter = letter;
    this.#seen = new Map();
    this.#all = Promise.withResolvers();
    const startMs = performance.now();
    type();
    const missing = () => this.eyes.filter((eye) => !this.#seen.has(eye)).join(', ');
    const late = setTimeout(() => this.#all.reject(new Error(`a key was not seen: ${missing()}`)), KEY_TIMEOUT_MS);
    try {
      const seen = await this.#all.promise;
      return new Map([...seen].map(([eye, atMs]) => [eye, atMs - startMs]));
    } finally {
      clearTimeout(late);
    }
  }
}

const echoes = async (
  { jarvis, dragon }: WatchedPair,
  agent: Agent,
  sshd: LoopbackSshd | null,
): Promise<{ samples: Map<Eye, number>[]; source: string }> => {
  await using stack = new AsyncDisposableStack();
  const sightings = new Sightings(['tmux', 'watch', ...(sshd ? (['ssh'] as const) : [])]);
  const look = (eye: Eye, terminal: DrawnTerminal): void => {
    stack.use(terminal).onDrawn(({ bytes, atMs }) => sightings.saw(eye, bytes.toString('utf8'), atMs));
  };
  look('tmux', DrawnTerminal.local(dragon, agent));
  if (sshd) look('ssh', DrawnTerminal.overSsh(sshd, dragon, agent));
  const watching = stack.use(new Watching(jarvis.local, agent));
  watching.onFrame(({ frame, atMs }) => {
    sightings.saw('watch', frame.rows.flatMap(({ spans }) => spans.map(({ text }) => text)).join(''), atMs);
  });
  await watching.first();
  const typist = stack.use(WarmTypist.start(dragon, agent));
  await pause(SETTLE_MS);
  const samples: Map<Eye, number>[] = [];
  for (let key = 0; key < KEYS; key++) {
    const letter = String.fromCodePoint(FIRST_LETTER + key);
    const sample = await sightings.of(letter, () => typist.type(letter));
    if (key >= UNMEASURED_KEYS) samples.push(sample);
    await pause(pauseBetweenMs());
  }
  return { samples, source: watching.status?.source ?? '' };
};

const added = (samples: readonly Map<Eye, number>[], eye: Eye, over: Eye): number[] =>
  samples.map((sample) => (sample.get(eye) as number) - (sample.get(over) as number));

const measure = async (
  place: WatchedPair,
  name: string,
  reach: number | null,
  agent: Agent,
  sshd: LoopbackSshd | null,
): Promise<Measurement> => {
  const load = new MachineLoad();
  const { samples, source } = await echoes(place, agent, sshd);
  const of = (eye: Eye): number[] => samples.map((sample) => sample.get(eye) as number);
  const ssh = sshd
    ? {
        ssh_tmux_ms: summary(of('ssh')),
        ssh_added_ms: summary(added(samples, 'ssh', 'tmux')),
        watch_over_ssh: median(of('watch')) / median(of('ssh')),
      }
    : { ssh: whyNoSshd() };
  const delays = summary(added(samples, 'watch', 'tmux'));
  return measured(name, delays.median, 'ms', reach, {
    ...delays,
    local_tmux_ms: summary(of('tmux')),
    watch_ms: summary(of('watch')),
    ...ssh,
    source,
    machine_busy_percent: load.busyPercent,
  });
};

/** A composer under a spinner that turns ten times a second, as agents draw it while they work. */
const SPINNER = `bash -c 'while :; do for s in - / "|" "\\\\"; do printf "\\e7\\e[1;1H\\e[33m%s working\\e[0m\\e8" "$s"; sleep 0.1; done; done & printf "\\e[3;1H"; exec cat'`;

export const watchEcho: Figure = figure({
  name: 'watch-echo',
  about: `a key's echo across hosts against local tmux and ssh (${KEYS} keys)`,
  place: watchedPair,
  async *measure(place: WatchedPair, bench: Bench) {
    await using stack = new AsyncDisposableStack();
    const sshd = whyNoSshd() === null ? stack.use(await LoopbackSshd.start(bench.folder)) : null;
    const quiet = await place.agent('echo', 'cat');
    yield await measure(place, 'watch-echo.added.p50', REACH_MS, quiet, sshd);
    await place.end(quiet);
    const busy = await place.agent('echo-busy', SPINNER);
    yield await measure(place, 'watch-echo.beside-a-spinner.p50', null, busy, sshd);
    await place.end(busy);
    // The host-agent's own client goes to the holder, as in a fleet on one server.
    const holder = await place.holder('shared');
    const shared = await place.agent('echo-shared', 'cat', { socket: 'shared' });
    yield await measure(place, 'watch-echo.shared-server.p50', null, shared, sshd);
    await place.end(shared);
    await place.end(holder);
  },
});
