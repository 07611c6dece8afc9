/**
 * The holder of a shared tmux server, by its unit: whoever is on that server ends with it, so they are counted and named
 * first, and it is done only where that was forced. Afterwards it is told who did not come back.
 */
import type { LifecycleVerb } from '../../src/domain/order.ts';
import type { UnitNow } from '../../src/domain/unit-now.ts';
import type { ControlAgentRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRun } from '../command/order-run.ts';
import type { TmuxServer } from '../inventory/source.ts';
import { begun, stoppedBut, withAlong } from './begun.ts';
import { casualtyWords, stoppedAlong } from './casualties.ts';
import { until } from './end-session.ts';
import { isExited, isUp, loadedUnit, unitWords } from './managed-agent.ts';
import type { Holder, LifecyclePorts } from './ports.ts';
import { livingPane } from './prove-start.ts';

/** A session that is made and lost again is no holder. */
const HELD_MS = 1_000;
/** Agents whose units say that they come with it are back by then. */
const BACK_MS = 5_000;
const SHOWN = 20;

/** Throws OrderEnd where there is none, or its server cannot be asked. */
export const holderOf = (ports: LifecyclePorts, unit: string): Holder => {
  const holder = ports.holder();
  if (holder === null || holder.unit !== unit) throw new OrderEnd('gone', `no roster here has a holder ${unit}`);
  const problem = ports.unitsProblem() ?? serverOf(ports, holder)?.problem?.words ?? null;
  if (problem !== null) throw new OrderEnd('refused', `it cannot be asked: ${problem}`);
  return holder;
};

/** Agents of the roster that live on the holder's server, and so are changed with it. */
export const agentsOn = (ports: LifecyclePorts, { socket }: Holder): string[] =>
  ports.rows
    .all()
    .filter(({ managed, tmux }) => managed && tmux?.socket === socket)
    .map(({ agent }) => agent);

/** Throws OrderEnd `refused` where others would end with it, unless forced; then nothing was changed. */
export const controlHolder = async (
  ports: LifecyclePorts,
  verb: LifecycleVerb,
  holder: Holder,
  { force }: Pick<ControlAgentRequest, 'force'>,
  run: OrderRun,
): Promise<OrderEnd> => {
  if (verb === 'reset') throw new OrderEnd('refused', 'a holder has no conversation that could be reset');
  const unit = await loadedUnit(ports, holder.unit, 'the holder has no unit');
  const before = sessionOf(ports, holder);
  if (verb === 'start' && before !== null && isUp(unit)) return new OrderEnd('done', 'it ran already');
  if (verb === 'stop' && before === null && !isUp(unit)) return new OrderEnd('done', 'it was stopped already');
  const others = othersOn(ports, holder);
  const units = isUp(unit) ? (await stoppedAlong(ports, unit)).map(({ name }) => name) : [];
  // A start of what is down ends nobody.
  const isEnding = verb !== 'start' || isExited(unit);
  const words = isEnding ? casualtyWords({ sessions: others, units }, SHOWN) : null;
  if (words !== null && !force)
    throw new OrderEnd('refused', `${words} would end with it: --force does it all the same`);
  const agents = agentsOn(ports, holder);
  await run.typing();
  return await begun(async () => {
    const end =
      verb === 'stop'
        ? await stop(ports, holder, unit, run)
        : await start(ports, holder, isUp(unit) ? 'restart' : 'start', before, run);
    return withAlong(end, await lostWords(ports, others, agents, verb, run));
  });
};

/** How far a host-agent that is gone came with it. */
export const lookBackHolder = async (
  ports: LifecyclePorts,
  verb: LifecycleVerb,
  holder: Holder,
  run: OrderRun,
): Promise<OrderEnd> => {
  if (verb !== 'stop') return await held(ports, holder, null, run);
  const isGone = await until(run, async () => !isUp(await ports.units.read(holder.unit)) && !sessionOf(ports, holder));
  return isGone ? new OrderEnd('done') : new OrderEnd('failed', await wordsOf(ports, holder));
};

const serverOf = (ports: LifecyclePorts, { socket }: Holder): TmuxServer | undefined =>
  ports.servers().find((each) => each.socket === socket);

/** Of one life of its server; null: there is none. */
const sessionOf = (ports: LifecyclePorts, holder: Holder): string | null => {
  const server = serverOf(ports, holder);
  const session = server?.sessions.find(({ name }) => name === holder.session);
  return server === undefined || session === undefined ? null : `${server.pid} ${session.id}`;
};

const othersOn = (ports: LifecyclePorts, holder: Holder): string[] =>
  (serverOf(ports, holder)?.sessions ?? []).map(({ name }) => name).filter((name) => name !== holder.session);

const stop = async (ports: LifecyclePorts, holder: Holder, unit: UnitNow, run: OrderRun): Promise<OrderEnd> => {
  await jobDone(ports, 'stop', unit.name, run);
  if (await until(run, () => sessionOf(ports, holder) === null)) return new OrderEnd('done');
  return new OrderEnd('failed', `its unit is stopped, but its session ${holder.session} is still there`);
};

const start = async (
  ports: LifecyclePorts,
  holder: Holder,
  verb: 'start' | 'restart',
  before: string | null,
  run: OrderRun,
): Promise<OrderEnd> => {
  const act = async () => {
    await jobDone(ports, verb, holder.unit, run);
    return await held(ports, holder, before, run);
  };
  return verb === 'restart' ? await stoppedBut(act) : await act();
};

/** `before`: the session that must not be the one that is there now. */
const held = async (ports: LifecyclePorts, holder: Holder, before: string | null, run: OrderRun): Promise<OrderEnd> => {
  const { clock } = ports;
  let seen = null as { session: string; sinceMono: number } | null;
  const isHeld = await until(run, async () => {
    const session = sessionOf(ports, holder);
    if (session === null || session === before) seen = null;
    else if (seen?.session !== session) seen = { session, sinceMono: clock.monotonicMs() };
    return (
      seen !== null && clock.monotonicMs() - seen.sinceMono >= HELD_MS && isUp(await ports.units.read(holder.unit))
    );
  });
  if (isHeld) return new OrderEnd('done');
  const isSame = before !== null && sessionOf(ports, holder) === before;
  const why = isSame ? 'its session is the one of before' : `no session ${holder.session} came of it`;
  return new OrderEnd('failed', `${why}; ${await wordsOf(ports, holder)}`);
};

const jobDone = async (
  ports: LifecyclePorts,
  verb: 'start' | 'stop' | 'restart',
  unit: string,
  run: OrderRun,
): Promise<void> => {
  const result = await ports.units.run(verb, unit, run.signal);
  if (result === 'done') return;
  const words = unitWords(await ports.units.read(unit));
  if (result === null) throw new OrderEnd('unknown', `systemd was still at its ${verb}: ${words}`);
  throw new OrderEnd('failed', `its ${verb} ended as ${result}: ${words}`);
};

const wordsOf = async (ports: LifecyclePorts, { unit }: Holder): Promise<string> =>
  unitWords(await ports.units.read(unit));

/** Who ended, and who of the roster is not back and how to start them; null: nobody. */
const lostWords = async (
  ports: LifecyclePorts,
  others: readonly string[],
  agents: readonly string[],
  verb: LifecycleVerb,
  run: OrderRun,
): Promise<string | null> => {
  if (others.length === 0) return null;
  const down = () =>
    agents.filter((agent) =>
      ports.rows.all().some((row) => row.agent === agent && row.managed && livingPane(ports, row) === null),
    );
  const untilMono = ports.clock.monotonicMs() + BACK_MS;
  const isOver = () => ports.clock.monotonicMs() >= untilMono || (verb !== 'stop' && down().length === 0);
  if (verb !== 'stop') await until(run, isOver);
  const words = casualtyWords({ sessions: [...others], units: [] }, SHOWN) as string;
  const lost = down();
  return lost.length === 0 ? words : `${words}; not running now: fleet start ${lost.join(' ')}`;
};
