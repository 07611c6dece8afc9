/** The terminal plane of one host over real tmux servers: sources, inventory, feeds; no gRPC, no units. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { soleAudience } from '../../host-agent/calls/audience.ts';
import { HeartbeatSource } from '../../host-agent/heartbeat/source.ts';
import { InventoryPanes } from '../../host-agent/inventory/agent-panes.ts';
import { Inventory } from '../../host-agent/inventory/inventory.ts';
import { ProcTable } from '../../host-agent/process/proc-table.ts';
import { RosterSource } from '../../host-agent/roster/source.ts';
import { noSystemd } from '../../host-agent/systemd/no-systemd.ts';
import { OpenCompany } from '../../host-agent/terminal/company.ts';
import { PaneScreens } from '../../host-agent/terminal/pane-screens.ts';
import type { KeptRun } from '../../host-agent/terminal/ports.ts';
import { ScreenFeeds, type ScreenFeedsOptions } from '../../host-agent/terminal/screen-feeds.ts';
import { tailTerminal } from '../../host-agent/terminal/tail-call.ts';
import { watchTerminal } from '../../host-agent/terminal/watch-call.ts';
import { PaneOutputs } from '../../host-agent/tmux/pane-outputs.ts';
import { Questions } from '../../host-agent/tmux/questions.ts';
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import type { MessageSink } from '../../src/runtime/message-sink.ts';
import { ScreenLog } from '../../src/screen/screen-log.ts';
import { FleetView } from '../../src/view/fleet-view.ts';
import type {
  TailTerminalResponse,
  TerminalEnd,
  TerminalStatus,
  WatchTerminalResponse,
} from '../../src/wire/gen/fleet/v1/terminal.ts';
import { SourceUnderTest } from './tmux-source.ts';

export class Watcher implements Disposable {
  readonly log = new ScreenLog();
  readonly #stop = new AbortController();
  readonly messages: WatchTerminalResponse[] = [];
  status: TerminalStatus | null = null;
  end: TerminalEnd | null = null;
  readonly done: Promise<void>;

  constructor(begin: (sink: MessageSink<WatchTerminalResponse>, signal: AbortSignal) => Promise<void>) {
    const write = (message: WatchTerminalResponse): boolean => {
      this.messages.push(message);
      if (message.frame) this.log.apply(message.frame);
      if (message.status) this.status = message.status;
      if (message.end) this.end = message.end;
      return true;
    };
    this.done = begin({ write, drained: () => Promise.resolve() }, this.#stop.signal);
    this.done.catch(() => undefined);
  }

  /** The screen as text, blanks at the ends of rows left out. */
  get text(): string[] {
    return (
      this.log.picture?.rows.map((row) =>
        row
          .map(({ text }) => text)
          .join('')
          .trimEnd(),
      ) ?? []
    );
  }

  get frames(): number {
    return this.messages.filter(({ frame }) => frame).length;
  }

  leave(): void {
    this.#stop.abort();
  }

  [Symbol.dispose](): void {
    this.leave();
  }
}

export class TerminalGround {
  readonly under: SourceUnderTest;
  readonly inventory: Inventory;
  readonly panes: InventoryPanes;
  readonly questions: Questions;
  readonly outputs: PaneOutputs;
  readonly company = new OpenCompany(null);
  readonly feeds: ScreenFeeds;
  readonly screens: PaneScreens;
  /** Runs that are over, by agent. */
  readonly records = new Map<string, KeptRun[]>();
  readonly #home = mkdtempSync(join(tmpdir(), 'fleet-home-'));
  readonly #stop = new AbortController();
  readonly #watchers: Watcher[] = [];

  constructor(options: Partial<ScreenFeedsOptions> = {}) {
    const clock = systemClock;
    const uid = process.getuid!();
    this.under = new SourceUnderTest({ answerMs: 500, rescanMs: 500 });
    const { source } = this.under;
    this.inventory = new Inventory({
      sources: {
        tmux: source,
        systemd: noSystemd('none here'),
        heartbeats: new HeartbeatSource({ folders: () => ({ shared: join(this.#home, 'run'), byAgent: new Map() }) }),
        roster: new RosterSource({ mosaicHome: this.#home }),
        processes: new ProcTable(),
      },
      view: new FleetView({ clock }),
      clock,
      names: () => ({ host: 'here', user: 'me' }),
      socketPath: (name) => this.under.tmux.socket(name ?? 'default'),
      launcherInstalled: null,
    });
    this.panes = new InventoryPanes(this.inventory);
    this.inventory.countCompany(this.company);
    this.questions = new Questions({
      tmuxPath: 'tmux',
      uid,
      follower: (socket) => source.follower(socket),
      problem: (socket) => source.server(socket)?.problem?.words ?? null,
    });
    const polled = (socket: string) => source.server(socket)?.polled ?? null;
    this.outputs = new PaneOutputs({
      tmuxPath: 'tmux',
      uid,
      clock,
      log: silentLogger(),
      questions: this.questions,
      polled,
    });
    const { panes, company, questions, outputs } = this;
    const servers = {
      hasServer: (socket: string) => source.server(socket) !== undefined,
      isSilent: (socket: string) => source.server(socket)?.problem != null,
    };
    this.feeds = new ScreenFeeds({ panes, company, questions, outputs, clock, servers, ...options });
    this.screens = new PaneScreens({ questions, clock });
  }

  get tmux() {
    return this.under.tmux;
  }

  start(): Promise<void> {
    return this.inventory.start(this.#stop.signal);
  }

  row(name: string): AgentRow | undefined {
    return this.inventory.rows.find(({ agent }) => agent === name);
  }

  watch(key: string, name = 'jo@here'): Watcher {
    const { panes, feeds, company } = this;
    const call = watchTerminal({ panes, feeds, company, clock: systemClock });
    const origin = { actor: 'local:jo', name, kind: 'local', role: 'operator', federated: false };
    const watcher = new Watcher((sink, signal) =>
      call({ hostAgent: '', key, minIntervalMs: 0 }, sink, { origin, audience: soleAudience(name), signal }),
    );
    this.#watchers.push(watcher);
    return watcher;
  }

  /** Ends with `signal`, or when the call does. */
  async tail(
    request: { key: string; lines: number; follow: boolean; lastRun?: number },
    heard: (message: TailTerminalResponse) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { panes, feeds, questions } = this;
    const origin = { actor: 'local:jo', name: 'jo', kind: 'local', role: 'operator', federated: false };
    const write = (message: TailTerminalResponse) => {
      heard(message);
      return true;
    };
    await tailTerminal({ panes, feeds, questions, records: async (agent) => this.records.get(agent) ?? [] })(
      { hostAgent: '', lastRun: 0, ...request },
      { write, drained: () => Promise.resolve() },
      { origin, audience: soleAudience('jo'), signal },
    );
  }

  /** Rows as tmux prints them now, blanks at their ends left out. */
  captured(server: string, target: string): string[] {
    const rows = this.tmux.run(server, 'capture-pane', '-p', '-t', target).split('\n');
    return rows.map((row) => row.trimEnd());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watcher of this.#watchers) watcher.leave();
    await Promise.race([this.outputs.stopped(), new Promise((resolve) => setTimeout(resolve, 5_000))]);
    this.#stop.abort();
    await this.under[Symbol.asyncDispose]();
    rmSync(this.#home, { recursive: true, force: true });
  }
}
