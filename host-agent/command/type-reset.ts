/**
 * The runtime's own command for a new conversation, typed into its agent's pane and proven by the screen: the command was
 * taken, the composer is empty, and what stood above it is gone. Never: typed over a person's draft or at a prompt.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { isNewConversation, saidOn } from './conversation.ts';
import { type Message, messageOf } from './message-text.ts';
import { HeldBy, OrderEnd } from './order-end.ts';
import type { OrderRun, VerbPorts } from './order-run.ts';
import { PaneApproach } from './pane-approach.ts';
import { PaneBusy } from './pane-lock.ts';
import { holdsDraft, isBlocked, isWorking, type Look } from './screen-evidence.ts';
import { Submission } from './submission.ts';

/** Why it is not proven follows the agent's name: `it is working`. */
export type ResetTry = { isProven: true; command: string } | { isProven: false; isTyped: boolean; why: string };

export interface ResetOptions {
  /** Also over a draft, and where another order has the pane: then nothing is typed, and that is the reason. */
  force: boolean;
  /** null: the runtime has none. */
  commandOf(runtime: string): string | null;
}

/** Waiting for its turn included. */
const PROOF_MS = 20_000;
const POLL_MS = 250;
/** A screen that is just being drawn may look empty for a moment. */
const STILL_LOOKS = 2;

/** Throws OrderEnd `human-draft` or `busy`: whoever is there is not to be cut off unasked. */
export const typeReset = async (
  ports: VerbPorts,
  key: string,
  { force, commandOf }: ResetOptions,
  run: OrderRun,
): Promise<ResetTry> => {
  let isTyped = false;
  const part = partOf(ports, run, () => {
    isTyped = true;
  });
  try {
    const pane = ports.panes.pane(key);
    if (pane === undefined) return not('which of its panes is its own is not known');
    const at = PaneApproach.to(ports, { hostAgent: '', ...pane }, part);
    using _turn = await ports.locks.take(at.pane, part.signal, part.owner);
    const { runtime } = await at.ready(part.signal);
    const message = commandFor(runtime, commandOf);
    if (message === null) return not(`no reset command is known for ${runtime}`);
    const screen = await at.screen(runtime, part.signal);
    const hindrance = hindranceOf(screen);
    if (hindrance !== null) return not(hindrance);
    if (holdsDraft(screen)) throw new OrderEnd('human-draft', 'a person’s text stands there');
    const said = saidOn(runtime, screen);
    if (said === null) return not('its screen does not show where it takes text');
    await run.typing();
    // Awaited: the turn ends with this block.
    const end = await typed(ports, at, runtime, message, { screen, said }, part);
    // Given up, or out of time: then nothing follows, a restart neither.
    if (run.signal.aborted) throw new FleetError('CANCELLED', 'the order was given up');
    return end;
  } catch (error) {
    if (run.signal.aborted) throw error;
    if (error instanceof PaneBusy && !force) {
      throw new HeldBy(error.holder || 'another order or a takeover', 'types into it');
    }
    if (error instanceof OrderEnd && error.outcome === 'human-draft' && !force) {
      throw new OrderEnd('human-draft', `${error.reason}: --force restarts it all the same`);
    }
    if (part.signal.aborted) return { isProven: false, isTyped, why: isTyped ? STILL_SHOWN : NOT_IN_TIME };
    if (error instanceof OrderEnd) return { isProven: false, isTyped, why: error.reason };
    if (error instanceof FleetError) return { isProven: false, isTyped, why: error.message };
    throw error;
  }
};

const STILL_SHOWN = 'its screen still shows what was said before';
const NOT_IN_TIME = 'its pane could not be asked in time';

const not = (why: string): ResetTry => ({ isProven: false, isTyped: false, why });

/** So much of the order's time that a restart has the rest. */
const partOf = ({ clock }: VerbPorts, run: OrderRun, keyed: () => void): OrderRun => {
  const now = clock.monotonicMs();
  const partMs = Math.round(Math.min(PROOF_MS, Math.max(0, run.deadlineMono - now) / 2));
  return {
    owner: run.owner,
    signal: AbortSignal.any([run.signal, AbortSignal.timeout(partMs)]),
    deadlineMono: now + partMs,
    typing: () => run.typing(),
    keyed: () => {
      keyed();
      run.keyed();
    },
    submitted: () => run.submitted(),
  };
};

/** null also for what may not be typed as it is, such as a line for a shell. */
const commandFor = (runtime: string, commandOf: ResetOptions['commandOf']): Message | null => {
  const command = commandOf(runtime);
  if (command === null) return null;
  try {
    return messageOf(command, null);
  } catch (error) {
    if (error instanceof FleetError) return null;
    throw error;
  }
};

const hindranceOf = (screen: Look): string | null => {
  if (isBlocked(screen)) return `it waits for a person (${screen.reading?.reasonCode || 'other'})`;
  return isWorking(screen) ? 'it is working' : null;
};

const typed = async (
  ports: VerbPorts,
  at: PaneApproach,
  runtime: string,
  message: Message,
  before: { screen: Look; said: readonly string[] },
  run: OrderRun,
): Promise<ResetTry> => {
  const submission = await Submission.paste(message, {
    at,
    run,
    clock: ports.clock,
    runtime,
    before: before.screen,
    isLineMode: false,
  });
  const end = await submission.prove();
  if (end.outcome !== 'accepted') return { isProven: false, isTyped: true, why: end.reason || end.outcome };
  for (let still = 0; ; ) {
    const now = await at.screen(at.runtime(), run.signal);
    still = isFresh(runtime, now, before.said) ? still + 1 : 0;
    if (still >= STILL_LOOKS) return { isProven: true, command: message.text };
    if (run.signal.aborted || ports.clock.monotonicMs() >= run.deadlineMono) break;
    await sleep(POLL_MS, run.signal);
  }
  return { isProven: false, isTyped: true, why: STILL_SHOWN };
};

const isFresh = (runtime: string, now: Look, before: readonly string[]): boolean => {
  if (isBlocked(now) || isWorking(now) || holdsDraft(now)) return false;
  const said = saidOn(runtime, now);
  return said !== null && isNewConversation(before, said);
};
