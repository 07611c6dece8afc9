/** The inventory's rows and their own panes by key, for those who look at a pane or type into it. */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { Inventory } from './inventory.ts';

/** An agent's own pane at one moment. */
export interface OwnPane {
  key: string;
  /** Path of a listening socket. */
  socket: string;
  sessionId: string;
  paneId: string;
  panePid: number;
}

export class InventoryPanes {
  readonly #inventory: Pick<Inventory, 'rows' | 'onLook'>;

  constructor(inventory: Pick<Inventory, 'rows' | 'onLook'>) {
    this.#inventory = inventory;
  }

  /** The row of the last look; undefined when there is none. */
  row(key: string): AgentRow | undefined {
    return this.#inventory.rows.find((row) => row.key === key);
  }

  /** undefined where it has none, or where it is not known which one. */
  pane(key: string): OwnPane | undefined {
    const tmux = this.row(key)?.tmux;
    if (!tmux || tmux.paneId === null || tmux.pid === null) return undefined;
    const { socket, sessionId, paneId, pid } = tmux;
    return { key, socket, sessionId, paneId, panePid: pid };
  }

  /** After each look at the machine. */
  onChange(listener: () => void): Disposable {
    return this.#inventory.onLook(listener);
  }
}
