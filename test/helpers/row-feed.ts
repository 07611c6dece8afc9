/** `fleet ps -w` on a pipe, as a program reads it: the rows as they stand now, and how soon they came to stand so. */
import type { AgentView } from '../../src/domain/agent-view.ts';
import type { Seat } from './fleet-seen.ts';
import type { RunningCommand } from './testbed/ssh-line.ts';
import { until } from './until.ts';

type FeedLine =
  | { event: 'agent'; agent: AgentView }
  | { event: 'agent_removed'; address: string; gone: boolean }
  | { event: 'host_agent'; host_agent: { host: string; warnings: string[]; link: { state: string; reason: string } } }
  | { event: 'view' | 'stream' | 'host_agent_removed' };

export class RowFeed implements AsyncDisposable {
  readonly #running: RunningCommand;
  readonly #rows = new Map<string, AgentView>();
  readonly #hosts = new Map<string, (FeedLine & { event: 'host_agent' })['host_agent']>();
  /** Every line as it came. */
  readonly raw: string[] = [];

  private constructor(running: RunningCommand) {
    this.#running = running;
    running.onLine((text) => this.#take(text));
  }

  /** Resolves when the first picture has come. */
  static async start({ host, user }: Seat): Promise<RowFeed> {
    const feed = new RowFeed(await host.start(user, 'exec "$HOME"/.local/bin/fleet ps -w'));
    await until(() => feed.#rows.size > 0, { timeoutMs: 60_000 });
    return feed;
  }

  row(address: string): AgentView | undefined {
    return this.#rows.get(address);
  }

  warnings(host: string): string {
    return this.#hosts.get(host)?.warnings.join('\n') ?? '';
  }

  link(host: string): string {
    const link = this.#hosts.get(host)?.link;
    return [link?.state, link?.reason].filter(Boolean).join(' ');
  }

  /** Waits until this row is as `is` says; undefined: it is not there. */
  async untilRow(
    address: string,
    is: (row: AgentView | undefined) => boolean | undefined,
    timeoutMs = 20_000,
  ): Promise<void> {
    await until(
      () => {
        if (this.#running.hasEnded) throw new Error(`fleet ps -w ended: ${this.#running.stderr}`);
        if (is(this.row(address))) return true;
        throw new Error(`${address} is ${JSON.stringify(this.row(address)) ?? 'not there'}`);
      },
      { timeoutMs },
    );
  }

  get hasEnded(): boolean {
    return this.#running.hasEnded;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.stop();
  }

  #take(text: string): void {
    this.raw.push(text);
    const line = JSON.parse(text) as FeedLine;
    if (line.event === 'agent') this.#rows.set(line.agent.address, line.agent);
    if (line.event === 'agent_removed') this.#rows.delete(line.address);
    if (line.event === 'host_agent') this.#hosts.set(line.host_agent.host, line.host_agent);
  }
}
