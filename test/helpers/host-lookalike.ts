/** A look-alike of an agent runtime in a session of a user of a host: its pane, and what it wrote down itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentsOf, type Seat, see } from './fleet-seen.ts';
import { HostPane } from './host-pane.ts';
import type { LookalikeOptions } from './lookalike.ts';
import { until } from './until.ts';

const SCRIPT = join(import.meta.dirname, '../fixtures/lookalike-agents/lookalike.py');
const SERVER = 'lookalikes';

export class HostLookalike {
  readonly pane: HostPane;
  readonly #seat: Seat;
  readonly #session: string;

  private constructor(seat: Seat, session: string) {
    this.#seat = seat;
    this.#session = session;
    this.pane = new HostPane(seat, session, SERVER);
  }

  /** Resolves when its host's own rows say what it is. */
  static async start(
    seat: Seat,
    session: string,
    runtime: 'claude' | 'codex' | 'pi',
    { start = 'composer', workSeconds = 1 }: Pick<LookalikeOptions, 'start' | 'workSeconds'> = {},
  ): Promise<HostLookalike> {
    const { host, user } = seat;
    await host.writeFile(`/home/${user}/lookalike.py`, readFileSync(SCRIPT), { owner: user });
    const program = `mkdir -p ~/bin && { test -x ~/bin/${runtime} || cp "$(readlink -f /usr/bin/python3)" ~/bin/${runtime}; }`;
    const words = `--start ${start} --work-seconds ${workSeconds} --log ~/${session}.log`;
    const tmux = `cd ~ && env LANG=C.UTF-8 tmux -u -L ${SERVER} new-session -d -s ${session} -x 100 -y 30`;
    await host.mustSsh(user, `${program} && ${tmux} "exec ~/bin/${runtime} ~/lookalike.py ${runtime} ${words}"`);
    const made = new HostLookalike(seat, session);
    await until(async () => (await made.row())?.runtime_seen === runtime, { timeoutMs: 60_000 });
    return made;
  }

  /** As its own machine shows it. */
  async row() {
    const rows = agentsOf(await see(this.#seat), this.#seat.host.name);
    return rows.find(({ agent, user }) => agent === this.#session && user === this.#seat.user);
  }

  /** Each message that it submitted and each choice that was taken, in order. */
  async log(): Promise<Record<string, unknown>[]> {
    const { host, user } = this.#seat;
    const text = await host.mustSsh(user, `cat ~/${this.#session}.log 2>/dev/null || true`);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async messages(): Promise<unknown[]> {
    return (await this.log()).flatMap(({ message }) => message ?? []);
  }
}
