/**
 * In: a message or a key for one pane. Out: whether tmux put it into the pane's input. Never: typed into another life of
 * the pane or another program in front of it (the server compares at that moment), and never a text in an argument.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { processStartTicks } from '../../src/runtime/process-start.ts';
import { spawnClient, whenGone } from './client-process.ts';
import { checkSocket } from './socket-safety.ts';

/** Where a pane is: the path of its server's socket and its id there (`%7`). */
export interface PanePlace {
  socket: string;
  paneId: string;
}

/** What tmux says of a pane, asked just now. */
export interface PaneLook {
  panePid: number;
  dead: boolean;
  /** Copy mode or another that takes the keys. */
  inMode: boolean;
  /** What is typed here is typed into other panes of its window, too. */
  synchronized: boolean;
  /** Its input was switched off. */
  inputOff: boolean;
  tty: string;
  /** Name of the foreground process as tmux tells it. */
  command: string;
}

/** `no`: nothing was typed, and never will be. `maybe`: tmux did not say. */
export type Typed = 'yes' | 'no' | 'maybe';

export interface PaneTypingOptions {
  tmuxPath: string;
  uid: number;
}

/** A healthy server answers within milliseconds. */
const ANSWER_MS = 5_000;
const MAX_OUTPUT_CHARACTERS = 64 * 1024;

const FLAGS = ['pane_dead', 'pane_in_mode', 'pane_synchronized', 'pane_input_off'].map((flag) => `#{?${flag},1,0}`);
const LOOK = `pane #{pane_id} #{pane_pid} ${FLAGS.join(' ')} #{pane_tty} #{pane_current_command}`;
const YES = 'fleet-typed';
const NO = 'fleet-refused';
/** Names in a format: anything else could end the comparison early. */
const PLAIN_COMMAND = /^[\w.@+-]+$/;
const PANE_ID = /^%\d+$/;
const KEY = /^[A-Za-z0-9-]+$/;
/** A name says whose it is: what a killed host-agent left is known by its owner being gone. */
const OWN_BUFFER = /^buffer (fleet-order-(\d+)-(\d+)-\d+)$/gm;

interface Answer {
  /** null: it did not end by itself. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export class PaneTyping {
  readonly #options: PaneTypingOptions;
  readonly #owner = `fleet-order-${process.pid}-${processStartTicks(process.pid) ?? 0}`;
  readonly #inUse = new Set<string>();
  #count = 0;

  constructor(options: PaneTypingOptions) {
    this.#options = options;
  }

  /** null: there is no such pane. Rejects with UNAVAILABLE or DEADLINE_EXCEEDED when its server cannot be asked. */
  async look(place: PanePlace, signal: AbortSignal): Promise<PaneLook | null> {
    const { paneId } = checked(place);
    const list = [';', 'list-buffers', '-F', 'buffer #{buffer_name}'];
    const answer = await this.#run(place.socket, ['display-message', '-p', '-t', paneId, LOOK, ...list], '', signal);
    if (answer === null) return null;
    if (answer.exitCode !== 0) throw notAsked(place.socket, answer);
    await this.#sweep(place.socket, answer.stdout, signal);
    return lookOf(answer.stdout, paneId);
  }

  /** All of it at once; `bracketed` where the program asks for that. A rejection means that nothing was typed. */
  async paste(
    place: PanePlace,
    as: PaneLook,
    text: string,
    { bracketed }: { bracketed: boolean },
    signal: AbortSignal,
  ): Promise<Typed> {
    const { paneId, socket } = checked(place);
    this.#count += 1;
    const name = `${this.#owner}-${this.#count}`;
    let typed: Typed = 'no';
    this.#inUse.add(name);
    try {
      const loaded = await this.#run(socket, ['load-buffer', '-b', name, '-'], text, signal);
      if (loaded?.exitCode !== 0 || loaded.stderr !== '') return 'no';
      const paste = `paste-buffer ${bracketed ? '-p ' : ''}-r -d -b ${name} -t ${paneId}`;
      typed = await this.#guarded(place, as, paste, signal);
      return typed;
    } finally {
      // Not by the order's own time: what was loaded must go.
      if (typed !== 'yes') {
        await this.#run(socket, ['delete-buffer', '-b', name], '', AbortSignal.timeout(ANSWER_MS)).catch(() => null);
      }
      this.#inUse.delete(name);
    }
  }

  /** One key by its tmux name. A rejection means that nothing was typed. */
  async press(place: PanePlace, as: PaneLook, key: string, signal: AbortSignal): Promise<Typed> {
    const { paneId } = checked(place);
    if (!KEY.test(key)) throw new FleetError('INVALID_ARGUMENT', 'that is no name of a key');
    return this.#guarded(place, as, `send-keys -t ${paneId} ${key}`, signal);
  }

  /** Compared and typed by one command in the server, so that nothing comes between. */
  async #guarded({ socket, paneId }: PanePlace, as: PaneLook, command: string, signal: AbortSignal): Promise<Typed> {
    const compare = PLAIN_COMMAND.test(as.command);
    const now = `#{pane_pid} ${FLAGS.join(' ')}${compare ? ' #{pane_current_command}' : ''}`;
    const then = `${as.panePid} 0 0 0 0${compare ? ` ${as.command}` : ''}`;
    const args = ['if-shell', '-F', '-t', paneId, `#{==:${now},${then}}`];
    const answer = await this.#run(
      socket,
      [...args, `${command} ; display-message -p ${YES}`, `display-message -p ${NO}`],
      '',
      signal,
    ).catch((error: unknown) => {
      if (error instanceof FleetError && error.code === 'DEADLINE_EXCEEDED') return undefined;
      throw error;
    });
    if (answer === undefined) return 'maybe';
    if (answer === null) return 'no';
    if (answer.stdout.includes(NO)) return 'no';
    if (answer.stdout.includes(YES) && answer.exitCode === 0) return 'yes';
    // A command that tmux could not find a pane or a buffer for has done nothing.
    return /can't find pane|no buffer/.test(answer.stderr) ? 'no' : 'maybe';
  }

  /** What was loaded and never pasted: by a host-agent that was killed, or under a server that hung. */
  async #sweep(socket: string, listed: string, signal: AbortSignal): Promise<void> {
    for (const [, name = '', pid, ticks] of listed.matchAll(OWN_BUFFER)) {
      const isOurs = name.startsWith(`${this.#owner}-`);
      if (isOurs ? this.#inUse.has(name) : processStartTicks(Number(pid)) === ticks) continue;
      await this.#run(socket, ['delete-buffer', '-b', name], '', signal);
    }
  }

  /** null: there is no server. Rejects with DEADLINE_EXCEEDED when it was ended before it had answered. */
  async #run(socket: string, args: readonly string[], input: string, signal: AbortSignal): Promise<Answer | null> {
    // Asked before every client: a hostile server can make its client run commands.
    const verdict = checkSocket(socket, this.#options.uid);
    if (verdict.verdict === 'gone') return null;
    if (verdict.verdict === 'unsafe') throw new FleetError('FAILED_PRECONDITION', `unsafe socket: ${verdict.words}`);
    if (signal.aborted) throw new FleetError('CANCELLED', 'typing was given up before it began');
    const child = spawnClient(this.#options.tmuxPath, verdict.path, args);
    const gone = whenGone(child);
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => {
        said[name] = (said[name] + chunk.toString()).slice(0, MAX_OUTPUT_CHARACTERS);
      });
    }
    let isEnded = false;
    const end = () => {
      isEnded = true;
      // A waiting client ignores SIGTERM until its server answers.
      child.kill('SIGKILL');
    };
    const timer = setTimeout(end, ANSWER_MS);
    signal.addEventListener('abort', end, { once: true });
    child.stdin.end(input);
    const how = await gone;
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    if ('spawnError' in how) {
      throw new FleetError('UNAVAILABLE', `${this.#options.tmuxPath} cannot be run (${how.spawnError.code})`);
    }
    if (isEnded) throw new FleetError('DEADLINE_EXCEEDED', `the tmux server at ${socket} did not answer in time`);
    if (/no server running|error connecting to .*\(No such file/.test(said.stderr)) return null;
    return { exitCode: how.exitCode, ...said };
  }
}

const checked = (place: PanePlace): PanePlace => {
  if (!PANE_ID.test(place.paneId)) throw new FleetError('INVALID_ARGUMENT', 'that is no id of a pane');
  return place;
};

const notAsked = (socket: string, { stderr }: Answer): FleetError =>
  new FleetError('UNAVAILABLE', `tmux at ${socket} cannot be asked: ${stderr.trim().split('\n')[0] ?? ''}`);

const lookOf = (stdout: string, paneId: string): PaneLook | null => {
  const words = stdout
    .split('\n')
    .find((line) => line.startsWith('pane '))
    ?.split(' ');
  // tmux answers for no pane at all, with blanks.
  if (words === undefined || words[1] !== paneId) return null;
  const isSet = (index: number): boolean => words[index] === '1';
  return {
    panePid: Number(words[2]),
    dead: isSet(3),
    inMode: isSet(4),
    synchronized: isSet(5),
    inputOff: isSet(6),
    tty: words[7] ?? '',
    command: words.slice(8).join(' '),
  };
};
