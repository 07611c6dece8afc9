/** What `fleet ps -o json` says on one machine, once and as it changes: the words that a fault must be told in. */
import type { AgentView, HostAgentView } from '../../src/domain/agent-view.ts';
import type { Host } from './testbed/host.ts';
import type { RunningCommand } from './testbed/ssh-line.ts';
import { until } from './until.ts';

export interface FleetDocument {
  cell: string;
  complete: boolean;
  hosts: { host: string; here: boolean; host_agents: HostAgentView[] }[];
  agents: AgentView[];
}

/** One user's place at one machine. */
export interface Seat {
  host: Host;
  user: string;
}

export const see = async ({ host, user }: Seat): Promise<FleetDocument> => {
  const { stdout, stderr } = await host.fleet(user, ['ps', '-o', 'json']);
  if (stdout === '') throw new Error(`fleet ps as ${user}@${host.name} said nothing: ${stderr}`);
  return JSON.parse(stdout) as FleetDocument;
};

/** The one host-agent of a host. */
export const hostAgentOf = (seen: FleetDocument, host: string): HostAgentView => {
  const agent = seen.hosts.find((each) => each.host === host)?.host_agents[0];
  if (agent === undefined) throw new Error(`no host-agent of ${host} is shown`);
  return agent;
};

export const agentsOf = (seen: FleetDocument, host: string): AgentView[] =>
  seen.agents.filter((agent) => agent.host === host);

/** `state reason`, as `lost silent`. */
export const linkWords = ({ link }: Pick<HostAgentView, 'link'>): string =>
  link.reason === null ? link.state : `${link.state} ${link.reason}`;

/** All that grows older by itself. */
export const agesOf = (agents: readonly AgentView[]): (number | null)[][] =>
  agents.map((row) => [row.idle_seconds, row.uptime_seconds, row.state_since_seconds, row.heartbeat.age_seconds]);

export interface LinkMoment {
  /** Milliseconds since the mark. */
  afterMs: number;
  words: string;
}

interface FeedLine {
  event: string;
  host_agent?: HostAgentView;
  [field: string]: unknown;
}

/** `fleet ps -w` on a pipe, running all through a fault. */
export class FleetFeed {
  readonly #running: RunningCommand;
  readonly #lines: { atMs: number; line: FeedLine }[] = [];
  #markMs = performance.now();
  #from = 0;

  private constructor(running: RunningCommand) {
    this.#running = running;
    running.onLine((text) => this.#lines.push({ atMs: performance.now(), line: JSON.parse(text) as FeedLine }));
  }

  /** Resolves when the first picture has come. */
  static async start({ host, user }: Seat): Promise<FleetFeed> {
    const feed = new FleetFeed(await host.start(user, 'exec "$HOME"/.local/bin/fleet ps -w'));
    await until(() => feed.#lines.some(({ line }) => line.event === 'agent'), { timeoutMs: 60_000 });
    return feed;
  }

  /** What follows is told from here on. */
  mark(): void {
    this.#markMs = performance.now();
    this.#from = this.#lines.length;
  }

  /** Changes of the link of a host's one host-agent since the mark. */
  links(host: string): LinkMoment[] {
    const moments: LinkMoment[] = [];
    let last = '';
    for (const [index, { atMs, line }] of this.#lines.entries()) {
      if (line.event !== 'host_agent' || line.host_agent?.host !== host) continue;
      const words = linkWords(line.host_agent);
      if (words !== last && index >= this.#from) moments.push({ afterMs: Math.round(atMs - this.#markMs), words });
      last = words;
    }
    return moments;
  }

  /** The words of those changes, in their order. */
  words(host: string): string[] {
    return this.links(host).map(({ words }) => words);
  }

  /** Rows and host-agents that have left since the mark. */
  removals(): string[] {
    const told = this.#lines.slice(this.#from).filter(({ line }) => line.event.endsWith('_removed'));
    return told.map(({ line }) => JSON.stringify(line));
  }

  /** Waits until the link of `host` is told in these words; resolves with when that was. */
  async until(host: string, words: string, timeoutMs: number): Promise<number> {
    const found = () => this.links(host).find((moment) => moment.words === words);
    await until(
      () => {
        if (this.hasEnded) throw new Error('fleet ps -w ended');
        if (!found()) throw new Error(`${host} was told as ${JSON.stringify(this.links(host))}, never as ${words}`);
        return true;
      },
      { timeoutMs },
    );
    return (found() as LinkMoment).afterMs;
  }

  get hasEnded(): boolean {
    return this.#running.hasEnded;
  }

  async stop(): Promise<void> {
    await this.#running.stop();
  }
}
