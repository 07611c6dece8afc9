import type { TmuxPane, TmuxServer, TmuxSession } from '../../host-agent/inventory/source.ts';
import { TmuxSource, type TmuxSourceOptions } from '../../host-agent/tmux/tmux-source.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { PrivateTmux } from './tmux-server.ts';
import { until } from './until.ts';

/** A real source over private servers; `await using` stops it and removes the servers, also after a failure. */
export class SourceUnderTest {
  readonly tmux = new PrivateTmux();
  readonly #stop = new AbortController();
  readonly source: TmuxSource;

  constructor(options: Partial<TmuxSourceOptions> = {}) {
    this.source = new TmuxSource({
      tmuxTmpdir: this.tmux.tmpdir,
      isolated: true,
      uid: process.getuid!(),
      clock: systemClock,
      log: silentLogger(),
      ...options,
    });
  }

  start(): Promise<void> {
    return this.source.start(this.#stop.signal);
  }

  /** Starts, and waits for the control client of that server: until then it is only surveyed. */
  async follow(name = 'a'): Promise<void> {
    await this.start();
    await this.until(() => this.controlClients(name).length === 1);
  }

  server(name = 'a'): TmuxServer | undefined {
    return this.source.current().servers.find(({ socket }) => socket === this.tmux.socket(name));
  }

  sessions(name = 'a'): TmuxSession[] {
    return this.server(name)?.sessions ?? [];
  }

  names(name = 'a'): string {
    return this.sessions(name)
      .map((session) => session.name)
      .sort()
      .join(' ');
  }

  panes(name = 'a'): TmuxPane[] {
    return [...(this.server(name)?.panes.values() ?? [])];
  }

  until<T>(fn: () => T, timeoutMs = 30_000) {
    return until(fn, { timeoutMs });
  }

  /** Pids of the control clients that the server has, as the server says. */
  controlClients(name = 'a'): number[] {
    const lines = this.tmux.run(name, 'list-clients', '-F', '#{client_control_mode} #{client_pid}');
    return lines.split('\n').flatMap((line) => (line.startsWith('1 ') ? [Number(line.slice(2))] : []));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.source.stopped();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Promise.race([this.stop(), sleep(10_000)]);
    } finally {
      this.tmux.close();
    }
  }
}
