/**
 * HoldTerminal: the keyboard of one agent, for as long as the stream stands. A takeover types into whatever runs in that
 * agent's own pane, a shell too: unlike send it is a person who looks at the screen. It never types into another pane.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { MessageSink } from '../../src/runtime/message-sink.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { Wake } from '../../src/runtime/wake.ts';
import type { HoldTerminalRequest, HoldTerminalResponse, OrderTarget } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { CallContext } from '../calls/own-calls.ts';
import { type HostPolicy, takeoverRefusal } from '../policy/host-policy.ts';
import type { AgentPanes, PaneRef } from '../terminal/ports.ts';
import type { TypingLine } from '../tmux/typing-line.ts';
import { type Lease, type LeaseEnd, type Leases, nameTo } from './lease.ts';
import type { LentSize } from './lent-sizes.ts';
import type { PaneSizes } from './pane-size.ts';
import { endedAs, refusedAs, type TakeoverLog } from './takeover-log.ts';
import { Typist } from './typist.ts';

/** One granted takeover. */
export interface Hold {
  lease: Lease;
  typist: Typist;
}

export interface HoldOptions {
  panes: AgentPanes;
  policy: () => HostPolicy;
  /** Our name, for whoever is refused. */
  host: () => string;
  clock: Clock;
  leases: Leases;
  /** By the id of the lease. */
  holds: Map<string, Hold>;
  sizes: PaneSizes;
  /** What a killed host-agent had lent is given back. */
  cleared: Promise<void>;
  line: (pane: PaneRef) => TypingLine;
  /**
   * The pane to oneself, against orders and takeovers of all host-agents that see it, until it is disposed of; rejects
   * with FAILED_PRECONDITION (`busy`) when the signal aborts before.
   */
  quiet: (pane: PaneRef, signal: AbortSignal, who: string) => Promise<Disposable>;
  records: TakeoverLog;
  idleLimitMs: number;
  /** The end is announced this long before. */
  noticeMs: number;
}

/** Policy and pane are looked at again at least as often. */
const LOOK_MS = 1_000;
/** For the one before to let go: what it types and what it lent. */
const RELEASE_MS = 10_000;
/** For a message that is just being typed. */
const QUIET_MS = 2_000;

/** Ends with HoldEnded, or when the caller leaves. Throws FAILED_PRECONDITION when it is refused, NOT_FOUND for no agent. */
export const holdTerminal = async (
  options: HoldOptions,
  request: HoldTerminalRequest,
  sink: MessageSink<HoldTerminalResponse>,
  { origin, signal }: CallContext,
): Promise<void> => {
  const refusal = takeoverRefusal(options.policy(), origin, options.host());
  if (refusal !== null) throw new FleetError('FAILED_PRECONDITION', refusal);
  const pane = targetPane(options.panes, request.target);
  const { lease, before, free } = options.leases.take(pane.key, origin, request.takeover);
  const leave = () => lease.finish({ reason: 'left', detail: 'the caller left' });
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  const line = options.line(pane);
  const typist = new Typist(lease, line);
  let lent: LentSize | null = null;
  let turn: Disposable | null = null;
  let isWritten = false;
  let isHanded = false;
  let refusedBy: unknown;
  try {
    await withinDeadline(free, RELEASE_MS, 'the one who typed before did not let go');
    await withinDeadline(options.cleared, RELEASE_MS, 'sizes of panes could not be given back');
    // Orders here see who types since the lease was taken, and do not wait; those of other host-agents wait for the turn.
    const inTime = AbortSignal.any([lease.signal, AbortSignal.timeout(QUIET_MS)]);
    turn = await options.quiet(pane, inTime, `a takeover by ${origin.actor}`).catch((error: unknown) => {
      throw origin.federated && isBusy(error) ? new FleetError('FAILED_PRECONDITION', BUSY) : error;
    });
    const { key, paneId, panePid } = pane;
    await options.records.begin({ id: request.id, key, paneId, panePid, actor: origin.actor });
    isWritten = true;
    if (request.width > 0 || request.height > 0) lent = await options.sizes.lend(pane, request);
    line.start();
    options.holds.set(lease.id, { lease, typist });
    isHanded = true;
    await stand(options, request, lease, before === null ? '' : nameTo(origin, before.holder), sink, signal);
  } catch (error) {
    refusedBy = error;
    throw error;
  } finally {
    options.holds.delete(lease.id);
    leave();
    signal.removeEventListener('abort', leave);
    await typist.settled();
    try {
      await Promise.all([line.close(), lent ? options.sizes.giveBack(lent) : null]);
    } finally {
      turn?.[Symbol.dispose]();
      lease.markReleased();
      const end = isHanded ? endedAs(lease.end as LeaseEnd) : refusedAs(refusedBy);
      if (isWritten) await options.records.end(request.id, ...end);
    }
  }
};

/** Without the name of whoever it is. */
const BUSY = 'busy: somebody types into this pane; try again';
const isBusy = (error: unknown): boolean => error instanceof FleetError && error.code === 'FAILED_PRECONDITION';

const stand = async (
  options: HoldOptions,
  { target }: HoldTerminalRequest,
  lease: Lease,
  displaced: string,
  sink: MessageSink<HoldTerminalResponse>,
  signal: AbortSignal,
): Promise<void> => {
  const { idleLimitMs, noticeMs, panes } = options;
  const wake = new Wake();
  const poke = () => wake.poke();
  const asked: string[] = [];
  using _looks = panes.onChange(poke);
  using _asked = lease.onAsked((name) => {
    if (asked.length < MAX_ASKED) asked.push(name);
    poke();
  });
  lease.signal.addEventListener('abort', poke, { once: true });
  const send = async (message: HoldTerminalResponse): Promise<void> => {
    if (!sink.write(message)) await sink.drained(signal);
  };
  const tell = (words: string) => send({ notice: { words } });

  await send({ granted: { lease: lease.id, idleLimitMs, displaced } });
  let warnedAfterMono: number | null = null;
  while (!signal.aborted && lease.end === null) {
    const leftMs = idleLimitMs - lease.idleMs;
    const end = leftMs <= 0 ? expired(idleLimitMs) : endOf(options, target, lease);
    if (end !== null) {
      lease.finish(end);
      break;
    }
    for (const name of asked.splice(0)) await tell(`${name} asks for the keyboard`);
    if (leftMs <= noticeMs && warnedAfterMono !== lease.lastKeyMono) {
      warnedAfterMono = lease.lastKeyMono;
      await tell(`without a key the takeover ends in ${Math.ceil(leftMs / 1_000)} s`);
    }
    await wake.wait(Math.min(LOOK_MS, leftMs), signal);
  }
  if (!signal.aborted && lease.end !== null) await send({ ended: lease.end });
};

/** Askers whose names wait to be told. */
const MAX_ASKED = 8;

const expired = (idleLimitMs: number): LeaseEnd => ({
  reason: 'expired',
  detail: `no key for ${Math.round(idleLimitMs / 60_000)} min`,
});

/** Why it cannot go on; null while it can. */
const endOf = (
  { panes, policy, host }: HoldOptions,
  target: OrderTarget | undefined,
  lease: Lease,
): LeaseEnd | null => {
  try {
    targetPane(panes, target);
  } catch (error) {
    return { reason: 'session_ended', detail: (error as FleetError).message };
  }
  const refusal = takeoverRefusal(policy(), lease.holder, host());
  return refusal === null ? null : { reason: 'policy', detail: refusal };
};

/** The agent's own pane, as the caller saw it. Throws NOT_FOUND (`gone`). */
const targetPane = (panes: AgentPanes, target: OrderTarget | undefined): PaneRef => {
  const gone = (words: string) => new FleetError('NOT_FOUND', `gone: ${words}`);
  const row = panes.row(target?.key ?? '');
  if (!target || !row) throw gone('there is no such agent any more');
  const pane = panes.pane(target.key);
  if (!pane) throw gone('it has no pane of its own, or several');
  if (pane.paneId !== target.paneId || pane.panePid !== target.panePid) {
    throw gone('another program runs in its place now; look again');
  }
  if (row.tmux?.dead) throw gone('the program in its pane has ended');
  return pane;
};

const withinDeadline = async (promise: Promise<void>, ms: number, words: string): Promise<void> => {
  const done = new AbortController();
  const late = sleep(ms, done.signal).then(() => {
    if (!done.signal.aborted) throw new FleetError('DEADLINE_EXCEEDED', words);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    done.abort();
  }
};
