/**
 * A takeover from its grant to its end: screen, keys, and why it is over. It never goes on as a mere view: whoever types
 * must know at once that nothing arrives any more.
 */
import { FleetError } from '../../domain/errors.ts';
import type { HoldGranted } from '../../wire/gen/fleet/v1/orders.ts';
import type { TerminalEnd } from '../../wire/gen/fleet/v1/terminal.ts';
import type { CommandContext } from '../command.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../exit-codes.ts';
import { TerminalGuard } from '../render/terminal-guard.ts';
import { endWords } from '../watch/view-words.ts';
import type { WatchedAgent } from '../watch/watched-agent.ts';
import { AttachView, LEAVE_ATTACH } from './attach-view.ts';
import { keyWords } from './detach-key.ts';
import type { Keyboard } from './keyboard.ts';
import { OperatorInput } from './operator-input.ts';

export interface AttachSessionOptions {
  context: CommandContext;
  agent: WatchedAgent;
  keyboard: Keyboard;
  granted: HoldGranted;
  detachKey: string;
  /** Set by the keyboard: the host's last notice, and room for more keys. */
  told: { notice: string; onChange: () => void; onRoom: () => void };
}

/** How it ended, for a line on stderr. */
export interface AttachEnd {
  words: string;
  exitCode: ExitCode;
}

/** After the person left, for what was typed just before. */
const SETTLE_MS = 3_000;

export const runAttachSession = async (options: AttachSessionOptions): Promise<AttachEnd> => {
  const { context, agent, keyboard, detachKey, told } = options;
  const left = Promise.withResolvers<AttachEnd>();
  const stop = new AbortController();
  const leave = (words: string) => left.resolve({ words, exitCode: EXIT.done });
  using input = new OperatorInput({
    detachKey,
    onStrokes: (strokes) => {
      keyboard.type(strokes);
      if (keyboard.isFull) context.stdin.pause();
    },
    onDetach: () => leave('left'),
  });
  using guard = new TerminalGuard();
  await guard.start(context.stdin, context.stdout, LEAVE_ATTACH);
  const view = new AttachView({
    context,
    agent,
    guard,
    onBytes: (bytes) => input.take(bytes),
    onGone: () => leave('left: the terminal is gone'),
    headline: () => headlineOf(detachKey, told.notice),
  });
  told.onChange = () => view.redraw();
  told.onRoom = () => context.stdin.resume();
  const interrupted = () => leave(`left on ${String(context.signal.reason)}`);
  context.signal.addEventListener('abort', interrupted, { once: true });
  if (context.signal.aborted) interrupted();
  const signal = AbortSignal.any([stop.signal, context.signal]);
  const shown = view.run(signal);
  const watched = agent.run(signal);
  try {
    return await Promise.race([
      left.promise,
      keyboard.ended().then(endOfHold),
      watched.then((end) => (end ? sessionEnd(end) : left.promise)),
      shown.then(() => left.promise),
    ]);
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    return {
      words: `the line was lost: ${error.message}; the last keys may not have arrived`,
      exitCode: lostCode(error),
    };
  } finally {
    context.signal.removeEventListener('abort', interrupted);
    view[Symbol.dispose]();
    stop.abort();
    await keyboard.release(SETTLE_MS);
    await Promise.allSettled([watched, shown]);
  }
};

const headlineOf = (detachKey: string, notice: string): string =>
  [`YOU TYPE, ${keyWords(detachKey)} leaves`, notice].filter(Boolean).join(' · ');

const sessionEnd = (end: TerminalEnd): AttachEnd => ({ words: endWords(end), exitCode: EXIT.done });

/** By the host's own word. */
const endOfHold = ({ reason, detail }: { reason: string; detail: string }): AttachEnd => {
  const words = HOLD_ENDS[reason] ?? `the takeover ended (${reason})`;
  return { words: detail ? `${words}: ${detail}` : words, exitCode: exitOfHold(reason) };
};

const HOLD_ENDS: Record<string, string> = {
  displaced: 'displaced',
  expired: 'the takeover expired',
  session_ended: 'the session ended',
  policy: 'forbidden from now on',
  failed: 'a key could not be typed; the last ones may not have arrived',
};

const exitOfHold = (reason: string): ExitCode => {
  if (reason === 'session_ended') return EXIT.done;
  return reason === 'failed' ? EXIT.failed : EXIT.refused;
};

const lostCode = ({ code }: FleetError): ExitCode => (code === 'CANCELLED' ? EXIT.unreachable : exitCodeOf[code]);
