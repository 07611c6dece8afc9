/** Agents whose screens a test draws, served by the shipped stream over real gRPC; and a real terminal to look at them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { systemClock } from '../../../src/runtime/clock.ts';
import { Listeners } from '../../../src/runtime/listeners.ts';
import { callSink } from '../../../src/runtime/message-sink.ts';
import { ScreenLog, type ScreenPicture } from '../../../src/screen/screen-log.ts';
import { streamScreen } from '../../../src/screen/stream-screen.ts';
import type {
  Span,
  TailTerminalRequest,
  TailTerminalResponse,
  TerminalEnd,
  TerminalStatus,
  WatchTerminalRequest,
  WatchTerminalResponse,
} from '../../../src/wire/gen/fleet/v1/terminal.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { FLEET_MAIN } from '../../helpers/fleet-program.ts';
import { ServedView } from '../../helpers/served-view.ts';
import { textColumns } from '../../helpers/text-columns.ts';
import { until } from '../../helpers/until.ts';

export const span = (text: string, over: Partial<Span> = {}): Span => ({
  text,
  columns: textColumns(text),
  foreground: 0,
  background: 0,
  attributes: 0,
  underlineColor: 0,
  ...over,
});

/** A screen of text; each row may be given as spans instead. */
export const picture = (
  rows: readonly (string | Span[])[],
  over: Partial<Omit<ScreenPicture, 'rows'>> = {},
): ScreenPicture => {
  const height = over.height ?? Math.max(rows.length, 1);
  return {
    width: 40,
    cursorX: 0,
    cursorY: 0,
    cursorVisible: true,
    alternateScreen: false,
    capturedMs: 1_790_000_000_000,
    title: '',
    historyLines: 0,
    ...over,
    height,
    rows: Array.from({ length: height }, (_, y) => {
      const row = rows[y] ?? '';
      return typeof row === 'string' ? (row === '' ? [] : [span(row)]) : row;
    }),
  };
};

/** One agent's screen; what is put on it is told to all who watch. */
class DrawnScreen {
  readonly log = new ScreenLog();
  readonly #listeners = new Listeners();
  said: TerminalStatus = {
    source: 'live',
    polledBecause: '',
    watchers: ['W-jarvis:jarvis'],
    writer: '',
    link: { state: 'connected', ageMs: 3_000 },
    silentMs: 0,
    paneDead: false,
  };
  ended: TerminalEnd | null = null;
  /** Least interval that each watcher asked for. */
  readonly intervals: number[] = [];
  watching = 0;

  draw(rows: readonly (string | Span[])[], over: Partial<Omit<ScreenPicture, 'rows'>> = {}): void {
    this.log.take(picture(rows, over));
    this.#listeners.emit();
  }

  say(over: Partial<TerminalStatus>): void {
    this.said = { ...this.said, ...over };
    this.#listeners.emit();
  }

  end(end: Partial<TerminalEnd> = {}): void {
    this.ended = { reason: 'session_ended', detail: '', ...end };
    this.#listeners.emit();
  }

  status(): TerminalStatus {
    return this.said;
  }

  onChange(listener: () => void): Disposable {
    return this.#listeners.add(listener);
  }
}

type Tail = (call: ServerWritableStream<TailTerminalRequest, TailTerminalResponse>) => void;

export class ServedScreens {
  readonly view = new ServedView();
  readonly screens = new Map<string, DrawnScreen>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'fleet-tmux-'));
  /** Answers WatchTerminal in place of the screens. */
  watch: ((call: ServerWritableStream<WatchTerminalRequest, WatchTerminalResponse>) => void) | null = null;
  tail: Tail = (call) => call.emit('error', { code: status.UNIMPLEMENTED, details: 'no lines' });

  screen(agent: string): DrawnScreen {
    let screen = this.screens.get(agent);
    if (!screen) {
      screen = new DrawnScreen();
      this.screens.set(agent, screen);
    }
    return screen;
  }

  async start(...agents: string[]): Promise<void> {
    this.view.calls = {
      watchTerminal: (call) => (this.watch ? this.watch(call) : void this.#stream(call)),
      tailTerminal: (call) => this.tail(call),
    };
    await this.view.start();
    this.view.put({ here: true }, ...agents.map((agent) => agentRow({ key: `k:${agent}`, agent })));
  }

  stop(): void {
    this.view.stop();
  }

  async #stream(call: ServerWritableStream<WatchTerminalRequest, WatchTerminalResponse>): Promise<void> {
    const screen = this.screens.get(call.request.key.slice(2));
    if (!screen) return void call.emit('error', { code: status.NOT_FOUND, details: 'no such agent' });
    screen.intervals.push(call.request.minIntervalMs);
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    screen.watching += 1;
    try {
      await streamScreen(screen, call.request.minIntervalMs, callSink(call), systemClock, gone.signal);
    } catch {
      // The watcher left while it was written to.
    }
    screen.watching -= 1;
    call.end();
  }

  /** One tmux command on a server of our own. */
  tmux(...args: string[]): string {
    return execFileSync('tmux', ['-u', '-S', join(this.#folder, 's'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 10_000,
    });
  }

  /** A shell in a real terminal. */
  terminal(
    width: number,
    height: number,
    command = 'HISTFILE= PS1="\\$ " exec bash --norc -i',
    ...env: string[]
  ): void {
    const size = ['-x', `${width}`, '-y', `${height}`];
    const set = [`HOME=${this.view.home}`, ...env].flatMap((each) => ['-e', each]);
    this.tmux('new-session', '-d', '-s', 't', ...size, ...set, command);
    this.tmux('set-option', '-g', 'default-terminal', 'tmux-256color');
  }

  /** What a person types to start the program. */
  command(...args: string[]): string {
    return `'${process.execPath}' '${FLEET_MAIN}' --instance ${this.view.instance} ${args.join(' ')}`;
  }

  type(text: string): void {
    this.tmux('send-keys', '-t', '=t:', '-l', text);
    this.tmux('send-keys', '-t', '=t:', 'Enter');
  }

  press(...keys: string[]): void {
    this.tmux('send-keys', '-t', '=t:', ...keys);
  }

  /** Rows of the terminal, without blanks at their ends. */
  shown(...flags: string[]): string {
    return this.tmux('capture-pane', '-p', ...flags, '-t', '=t:');
  }

  rows(): string[] {
    return this.shown().split('\n');
  }

  /** A shell has job control and line editing: its own settings stand while it waits. */
  async echoes(): Promise<void> {
    this.press('C-u');
    this.type("printf '%s-%s\\n' still here");
    await until(() => this.shown().includes('still-here'), { timeoutMs: 30_000 });
  }

  asked(format: string): string {
    return this.tmux('display-message', '-p', '-t', '=t:', format).trim();
  }

  /** Alternate screen, cursor shown, wraps at the edge. */
  modes(): string {
    return this.asked('#{alternate_on} #{cursor_flag} #{wrap_flag}');
  }

  /** Settings of the terminal, as `stty` says them. */
  settings(): string {
    return execFileSync('stty', ['-a', '-F', this.asked('#{pane_tty}')], { encoding: 'utf8' });
  }

  /** The program in front: its pid, by the terminal's own word. */
  frontPid(): number {
    const stat = readFileSync(`/proc/${this.asked('#{pane_pid}')}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[5]);
  }

  dispose(): void {
    try {
      this.tmux('kill-server');
    } catch {
      // It ended by itself with its last session.
    }
    this.view.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
