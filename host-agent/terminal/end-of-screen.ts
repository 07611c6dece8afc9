/**
 * In: the inventory's word about one agent, look after look. Out: whether its screen has really ended, and how. A server
 * that cannot be asked ends nothing, and an agent that is being restarted has time to come back.
 */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { lastExitToWire } from '../../src/wire/agent-row.ts';
import type { TerminalEnd } from '../../src/wire/gen/fleet/v1/terminal.ts';
import type { AgentPanes } from './ports.ts';

export interface EndOptions {
  row: AgentPanes['row'];
  /** Whether a tmux server lives at that path, or lived there when it could last be told. */
  hasServer(socket: string): boolean;
  /** Whether that server could not be asked at the last look. */
  isSilent(socket: string): boolean;
  clock: Clock;
  /** Until an agent of the roster whose session is gone is taken for ended. */
  graceMs: number;
}

const COMING_BACK = /^(activating|reloading|deactivating)$/;

export class EndOfScreen {
  readonly #options: EndOptions;
  #last: AgentRow | null = null;
  #goneMono: number | null = null;

  constructor(options: EndOptions) {
    this.#options = options;
  }

  /** Asked after each look of the inventory; null while it goes on. */
  judge(key: string): TerminalEnd | null {
    const { row: rowOf, clock, graceMs } = this.#options;
    const row = rowOf(key);
    const last = this.#last;
    if (row === undefined) return last?.managed ? this.#end('agent_removed', last) : this.#gone(last);
    if (row.tmux !== null || this.#options.isSilent(last?.tmux?.socket ?? '')) {
      this.#last = row;
      this.#goneMono = null;
      return null;
    }
    if (row.unit !== null && COMING_BACK.test(row.unit.activeState)) this.#goneMono = null;
    this.#goneMono ??= clock.monotonicMs();
    if (clock.monotonicMs() - this.#goneMono < graceMs) return null;
    return this.#gone(last && { ...last, lastExit: row.lastExit });
  }

  #gone(last: AgentRow | null): TerminalEnd {
    const socket = last?.tmux?.socket;
    return this.#end(socket === undefined || this.#options.hasServer(socket) ? 'session_ended' : 'server_ended', last);
  }

  #end(reason: string, last: AgentRow | null): TerminalEnd {
    return {
      reason,
      detail: DETAILS[reason] ?? '',
      lastExit: last?.lastExit ? lastExitToWire(last.lastExit) : undefined,
    };
  }
}

const DETAILS: Record<string, string> = {
  session_ended: 'its session has ended',
  server_ended: 'its tmux server has ended',
  agent_removed: 'it was taken out of the roster',
};
