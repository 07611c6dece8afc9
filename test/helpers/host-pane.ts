/** A real pane of a real tmux server on a host of the bed: what it shows, what is typed there, and a person's own one. */
import { isDeepStrictEqual } from 'node:util';
import type { Seat } from './fleet-seen.ts';
import { type CellRow, cellRows } from './pane-cells.ts';
import { quote } from './testbed/run-command.ts';
import { until } from './until.ts';

/** One moment of a pane. */
export interface PaneLook {
  width: number;
  height: number;
  /** `x,y`, or null where it is hidden. */
  cursor: string | null;
  alternate: boolean;
  /** Text alone, without blanks at the ends. */
  rows: string[];
  cells: CellRow[];
}

const FACTS = '#{pane_width} #{pane_height} #{cursor_flag} #{cursor_x},#{cursor_y} #{alternate_on}';

export class HostPane {
  readonly seat: Seat;
  readonly #tmux: string;
  readonly #target: string;

  /** `server`: its name for `tmux -L`. */
  constructor(seat: Seat, session: string, server = 'default') {
    this.seat = seat;
    this.#tmux = `tmux -u -L ${quote(server)}`;
    this.#target = quote(`=${session}:`);
  }

  /** One tmux command to it; gives what it printed. */
  tmux(command: string, ...args: string[]): Promise<string> {
    const words = [command, '-t', this.#target, ...args.map(quote)].join(' ');
    return this.seat.host.mustSsh(this.seat.user, `${this.#tmux} ${words}`);
  }

  async fact(format: string): Promise<string> {
    return (await this.tmux('display-message', '-p', format)).trimEnd();
  }

  /** By their tmux names. */
  async press(...keys: string[]): Promise<void> {
    await this.tmux('send-keys', ...keys);
  }

  /** A line for what runs in it. */
  async type(line: string): Promise<void> {
    const literal = `${this.#tmux} send-keys -t ${this.#target} -l ${quote(line)}`;
    await this.seat.host.mustSsh(this.seat.user, `${literal} \\; send-keys -t ${this.#target} Enter`);
  }

  async look(): Promise<PaneLook> {
    const facts = `display-message -p -t ${this.#target} ${quote(FACTS)}`;
    const capture = `capture-pane -p -e -N -t ${this.#target}`;
    const printed = await this.seat.host.mustSsh(this.seat.user, `${this.#tmux} ${facts} \\; ${capture}`);
    const [head = '', ...lines] = printed.split('\n');
    const [width, height, flag, place = '', alternate] = head.split(' ');
    const cells = cellRows(lines.slice(0, -1).join('\n'));
    return {
      width: Number(width),
      height: Number(height),
      cursor: flag === '1' ? place : null,
      alternate: alternate === '1',
      rows: cells.map((row) =>
        row
          .map((cell) => [...cell][0])
          .join('')
          .trimEnd(),
      ),
      cells,
    };
  }

  /** Waits until a row of it says so. */
  async untilShows(words: string | RegExp, timeoutMs = 60_000): Promise<PaneLook> {
    const fits = (row: string) => (typeof words === 'string' ? row.includes(words) : words.test(row));
    return until(
      async () => {
        const look = await this.look();
        if (look.rows.some(fits)) return look;
        throw new Error(`${words} is not in:\n${look.rows.join('\n').trimEnd()}`);
      },
      { timeoutMs },
    );
  }
}

/**
 * Waits until the viewer's terminal has, from its upper left corner on, each cell of the source's pane, nothing beside
 * them, and its cursor where that one is.
 */
export const untilSame = async (source: HostPane, viewer: HostPane, timeoutMs = 60_000): Promise<PaneLook> =>
  until(
    async () => {
      const [shown, there] = await Promise.all([viewer.look(), source.look()]);
      const differs = difference(there, shown);
      if (differs !== null) throw new Error(differs);
      return there;
    },
    { timeoutMs },
  );

const difference = (source: PaneLook, viewer: PaneLook): string | null => {
  // The last line is the viewer's own.
  const rows = viewer.cells.length - 1;
  for (let y = 0; y < Math.max(rows, source.cells.length); y++) {
    const [has, shows] = [source.cells[y] ?? [], viewer.cells[y] ?? []];
    if (isDeepStrictEqual(has, shows)) continue;
    const at = has.findIndex((cell, x) => cell !== shows[x]);
    const x = at < 0 ? has.length : at;
    const around = (row: CellRow) => JSON.stringify(row.slice(Math.max(0, x - 3), x + 8));
    return `row ${y} from cell ${x}: the pane has ${around(has)}, the viewer ${around(shows)}`;
  }
  if (source.cursor !== viewer.cursor) return `cursor: the pane has ${source.cursor}, the viewer ${viewer.cursor}`;
  return null;
};

/** A person's own terminal on a host, apart from what is watched: sessions of a tmux server of its own name. */
export class Desk {
  readonly #seat: Seat;
  readonly #server: string;

  constructor(seat: Seat, server = 'desk') {
    this.#seat = seat;
    this.#server = server;
  }

  /** A terminal with a command in it, whose end is told in it as `ended with CODE`. */
  async sit(name: string, command: string, size = { width: 130, height: 46 }): Promise<HostPane> {
    // Said again and again: of one that was killed, the screen on which it is said first may be left a moment later.
    const shell = `${command}; code=$?; while :; do echo "ended with $code"; sleep 2; done`;
    const words = ['new-session', '-d', '-s', name, '-x', `${size.width}`, '-y', `${size.height}`, shell];
    const start = `cd ~ && env LANG=C.UTF-8 tmux -u -L ${this.#server} -f /dev/null ${words.map(quote).join(' ')}`;
    await this.#seat.host.mustSsh(this.#seat.user, start);
    return new HostPane(this.#seat, name, this.#server);
  }

  async close(): Promise<void> {
    await this.#seat.host.ssh(this.#seat.user, `tmux -L ${this.#server} kill-server`);
  }
}

/** Waits for the end of what a desk's terminal ran, and until that terminal is as a shell needs it; gives its words. */
export const untilLeft = async (pane: HostPane, code: number, timeoutMs = 60_000): Promise<string> => {
  const said = (await pane.untilShows(/^ended with \d+$/, timeoutMs)).rows.join('\n');
  if (!said.includes(`ended with ${code}`)) throw new Error(`it did not end with ${code}:\n${said.trimEnd()}`);
  const { host, user } = pane.seat;
  const tty = await pane.fact('#{pane_tty}');
  // Who mends the terminal of one that was killed comes after it.
  await until(
    async () => {
      const modes = await pane.fact('#{alternate_on} #{cursor_flag} #{wrap_flag} #{mouse_any_flag}');
      const settings = await host.mustSsh(user, `stty -a -F ${quote(tty)}`);
      const isGivenBack = modes === '0 1 1 0' && !/-(?:icanon|echo|isig|opost)\b/.test(settings);
      if (!isGivenBack) throw new Error(`its terminal was not given back: ${modes}\n${settings}`);
      return true;
    },
    { timeoutMs },
  );
  return said;
};
