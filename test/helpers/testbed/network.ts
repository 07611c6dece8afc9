/**
 * The run's own network: a namespace with one bridge, and no way out. Hosts hang on the bridge; the test process can
 * put programs of its own beside them (`inside`).
 */

import { run } from './run-command.ts';
import { netnsOf } from './run-folder.ts';

const BRIDGE = 'br0';
const PREFIX = '10.213.7';

export class Network {
  readonly bridge = BRIDGE;
  readonly #name: string;

  constructor(runId: string) {
    this.#name = netnsOf(runId);
  }

  async make(): Promise<void> {
    const inside = (...args: string[]) => run(['ip', '-n', this.#name, ...args]);
    await run(['ip', 'netns', 'add', this.#name]);
    await inside('link', 'set', 'lo', 'up');
    await inside('link', 'add', BRIDGE, 'type', 'bridge', 'forward_delay', '0');
    await inside('addr', 'add', `${this.bridgeAddress}/24`, 'dev', BRIDGE);
    await inside('link', 'set', BRIDGE, 'up');
  }

  /** Address of a program started by `inside`. */
  get bridgeAddress(): string {
    return `${PREFIX}.1`;
  }

  /** Address of the nth host, from 0. */
  addressOf(index: number): string {
    return `${PREFIX}.${11 + index}`;
  }

  /** argv that runs `argv` beside the hosts. (`ip netns exec` would hide the cgroups that nspawn needs.) */
  inside(argv: readonly string[]): string[] {
    return ['nsenter', `--net=/run/netns/${this.#name}`, ...argv];
  }

  /** Down: packets vanish and nothing is refused, as with a cut cable. */
  async setCable(link: string, state: 'up' | 'down'): Promise<void> {
    await run(['ip', '-n', this.#name, 'link', 'set', link, state]);
  }

  async hasLink(link: string): Promise<boolean> {
    const links = await run(['ip', '-n', this.#name, '-o', 'link']);
    return links.includes(`: ${link}@`) || links.includes(`: ${link}:`);
  }
}
