/** Takeovers of this host's agents: the two calls, who types for rows and status lines, and the end of them all. */
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { OwnCalls } from '../calls/own-calls.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import type { AgentPanes, PaneRef } from '../terminal/ports.ts';
import { TypingLine } from '../tmux/typing-line.ts';
import { type Hold, type HoldOptions, holdTerminal } from './hold-call.ts';
import { Leases } from './lease.ts';
import { LentSizes } from './lent-sizes.ts';
import { PaneSizes } from './pane-size.ts';
import type { TakeoverLog } from './takeover-log.ts';
import { typeKeys } from './type-call.ts';

export interface TakeoverOptions {
  panes: AgentPanes;
  policy: () => HostPolicy;
  /** Our name, for whoever is refused. */
  host: () => string;
  clock: Clock;
  log: Logger;
  uid: number;
  /** Folder of this room on disk; made when something is lent. */
  folder: string;
  /** Whether a control client is on the server at that socket. */
  isFollowed: (socket: string) => boolean;
  /** When that may have changed. */
  onServers: (listener: () => void) => Disposable;
  /** On disk, by the ids of the calls. */
  records: TakeoverLog;
  /** See HoldOptions. */
  quiet?: HoldOptions['quiet'];
  tmuxPath?: string;
  idleLimitMs?: number;
  noticeMs?: number;
}

const IDLE_LIMIT_MS = 30 * 60_000;
const NOTICE_MS = 60_000;

export class Takeover {
  readonly #options: TakeoverOptions;
  readonly #holds = new Map<string, Hold>();
  readonly #standing = new Set<Promise<void>>();
  readonly #sizes: PaneSizes;
  /** Who types where; `writer` and `onChange` serve status lines. */
  readonly leases: Leases;
  #cleared: Promise<void> = Promise.resolve();

  constructor(options: TakeoverOptions) {
    const { folder, clock, log, uid, tmuxPath = 'tmux' } = options;
    this.#options = options;
    this.leases = new Leases(clock);
    this.#sizes = new PaneSizes({ tmuxPath, uid, log, lent: new LentSizes(folder) });
  }

  /** Begins to give back what a host-agent that was killed had lent; the next takeover waits for it. */
  start(): void {
    this.#cleared = this.#sizes.giveBackAll();
  }

  /** Resolves when every takeover has ended and is undone; call after their signals have aborted. */
  async stopped(): Promise<void> {
    await Promise.allSettled([this.#cleared, ...this.#standing]);
  }

  readonly holdTerminal: OwnCalls['holdTerminal'] = async (request, sink, context) => {
    const {
      idleLimitMs = IDLE_LIMIT_MS,
      noticeMs = NOTICE_MS,
      panes,
      policy,
      host,
      clock,
      log,
      records,
    } = this.#options;
    const { quiet = async () => NOTHING } = this.#options;
    const options: HoldOptions = {
      panes,
      policy,
      host,
      clock,
      idleLimitMs,
      noticeMs,
      quiet,
      records,
      leases: this.leases,
      holds: this.#holds,
      sizes: this.#sizes,
      cleared: this.#cleared,
      line: (pane) => this.#line(pane),
    };
    // Said before it begins: where no controller is asked, nobody else keeps who typed where.
    const who = {
      order: request.id.slice(0, 128),
      actor: context.origin.actor,
      key: request.target?.key.slice(0, 256),
      pane: request.target?.paneId.slice(0, 32),
    };
    log.info({ ...who, displaces: request.takeover }, 'takeover asked for');
    const standing = holdTerminal(options, request, sink, context);
    const settled = standing.catch(() => undefined);
    this.#standing.add(settled);
    try {
      await standing;
      log.info(who, 'takeover ended');
    } catch (error) {
      log.info({ ...who, why: (error as Error).message }, 'takeover refused');
      throw error;
    } finally {
      this.#standing.delete(settled);
    }
  };

  readonly typeKeys: OwnCalls['typeKeys'] = (request, context) =>
    typeKeys({ holds: this.#holds, policy: this.#options.policy, host: this.#options.host }, request, context);

  #line({ socket, paneId, panePid }: PaneRef): TypingLine {
    const { tmuxPath = 'tmux', uid, isFollowed, onServers } = this.#options;
    const mayFollow = () => isFollowed(socket);
    return new TypingLine({ tmuxPath, uid, socket, paneId, panePid, mayFollow, onChange: onServers });
  }
}

const NOTHING: Disposable = { [Symbol.dispose]: () => undefined };
