/**
 * One message into one agent: refused with nothing typed, or pasted once, submitted once it is seen to stand there, and
 * proven by what the screen shows then. Never: pasted twice, submitted where it is not provably ours.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { SendTextRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import { longestLineBytes, MAX_COOKED_LINE_BYTES, type Message } from './message-text.ts';
import { OrderEnd } from './order-end.ts';
import type { OrderRun, VerbPorts } from './order-run.ts';
import { PaneApproach } from './pane-approach.ts';
import { holdsDraft, isBlocked, isWorking, type Look } from './screen-evidence.ts';
import { Submission } from './submission.ts';

/** How often a busy agent is looked at while it is waited for. */
const IDLE_LOOK_MS = 500;

export const sendText = async (
  ports: VerbPorts,
  request: SendTextRequest,
  message: Message,
  run: OrderRun,
): Promise<OrderEnd> => {
  const at = PaneApproach.to(ports, request.target, run);
  const idleUntilMono = ports.clock.monotonicMs() + request.waitIdleMs;
  for (;;) {
    if (request.waitIdleMs > 0) await waitIdle(ports, at, idleUntilMono, run);
    at.refuseIfHeld();
    using _turn = await ports.locks.take(at.pane, run.signal, run.owner);
    const first = await before(at, run);
    if (request.waitIdleMs > 0 && isBusy(at, first.screen)) continue;
    const isLineMode = await ports.isLineMode(first.look.tty, run.signal);
    refuseLostLine(message, isLineMode);
    await run.typing();
    // Awaited: the turn ends with this block.
    return await type(ports, at, request, message, isLineMode === true, run);
  }
};

const isBusy = (at: PaneApproach, screen: Look): boolean =>
  isWorking(screen) || (screen.reading === null && at.row.readiness === 'working');

const waitIdle = async (ports: VerbPorts, at: PaneApproach, untilMono: number, run: OrderRun): Promise<void> => {
  for (;;) {
    at.refuseIfHeld();
    const screen = await at.screen(at.runtime(), run.signal);
    refuseBlocked(screen);
    if (!isBusy(at, screen)) return;
    if (ports.clock.monotonicMs() >= untilMono) throw new OrderEnd('busy', 'the agent is still working');
    await sleep(IDLE_LOOK_MS, run.signal);
    if (run.signal.aborted) throw new FleetError('CANCELLED', 'waiting for the agent was given up');
  }
};

/** Everything that must be so before the first key. */
const before = async (at: PaneApproach, run: OrderRun) => {
  at.refuseIfHeld();
  const { look, runtime } = await at.ready(run.signal);
  const screen = await at.screen(runtime, run.signal);
  refuseBlocked(screen);
  if (holdsDraft(screen)) throw new OrderEnd('human-draft', 'text that is not ours stands where the message would go');
  return { look, runtime, screen };
};

const refuseBlocked = (screen: Look): void => {
  if (!isBlocked(screen)) return;
  const code = screen.reading?.reasonCode || 'other';
  throw new OrderEnd('blocked', `the agent waits for a person (${code}): fleet explain shows for what`);
};

const refuseLostLine = ({ text }: Message, isLineMode: boolean | null): void => {
  const bytes = longestLineBytes(text);
  if (isLineMode !== true || bytes <= MAX_COOKED_LINE_BYTES) return;
  const most = `its terminal keeps ${MAX_COOKED_LINE_BYTES} bytes of a line and drops the rest`;
  throw new OrderEnd('refused', `a line of ${bytes} bytes: ${most}`);
};

const type = async (
  ports: VerbPorts,
  at: PaneApproach,
  request: SendTextRequest,
  message: Message,
  isLineMode: boolean,
  run: OrderRun,
): Promise<OrderEnd> => {
  // Again, since writing the journal took its time.
  const { screen, runtime } = await before(at, run);
  const submission = await Submission.paste(message, {
    at,
    run,
    clock: ports.clock,
    runtime,
    before: screen,
    isLineMode,
  });
  return request.verify ? submission.prove() : submission.submitUnproven();
};
