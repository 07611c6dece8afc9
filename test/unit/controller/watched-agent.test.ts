import { expect, test } from 'vitest';
import { WatchedAgent } from '../../../controller/terminal/watched-agent.ts';
import type { CallOptions, HostCalls } from '../../../controller/uplink/host-calls.ts';
import { BrokenCall } from '../../../controller/uplink/tunnel.ts';
import { FleetError } from '../../../src/domain/errors.ts';
import { Listeners } from '../../../src/runtime/listeners.ts';
import { FleetView } from '../../../src/view/fleet-view.ts';
import type { WatchTerminalResponse } from '../../../src/wire/gen/fleet/v1/terminal.ts';
import { hostAgent } from '../../helpers/host-agent.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { SimulatedScreen } from '../../helpers/simulated-screen.ts';
import { until } from '../../helpers/until.ts';

const ID = 'dragon-lin/u';
const NOT_YET = new FleetError('NOT_FOUND', 'no agent here has the key a');

const ME = { actor: 'me', name: 'me', kind: 'operator', role: 'admin', tenantId: '', federated: false };
const PEER = { ...ME, name: 'partner/ann', kind: 'controller', federated: true };

/** One who watches an agent of a host that the test plays: it answers by hand, and comes back when it is told to. */
const watched = (first = ME, { isSeen = true } = {}) => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  const { link: _, heardAgeMs: __, ...known } = hostAgent({ id: ID });
  view.putHostAgent({
    ...known,
    linkState: 'connected',
    linkReason: null,
    linkSinceMono: 0,
    heardAtMono: 0,
    behind: null,
  });
  const callers: string[] = [];
  const asked: { answer(message: WatchTerminalResponse): void; fail(error: Error): void }[] = [];
  const returns = new Listeners<[id: string]>();
  type OnMessage = (...of: unknown[]) => void;
  const stream = (_: string, __: string, ___: unknown, { caller }: CallOptions, onMessage: OnMessage) =>
    new Promise<void>((_, reject) => {
      callers.push(caller.name);
      asked.push({ answer: (message) => onMessage(message, 1, () => undefined), fail: reject });
    });
  const calls = { stream } as unknown as HostCalls;
  const agent = new WatchedAgent(ID, 'a', { view, calls, tunnels: { onChange: (told) => returns.add(told) }, clock });
  const dropped: string[] = [];
  const join = (caller: typeof ME): Disposable => {
    const place = agent.join({
      caller,
      minIntervalMs: 0,
      sees: () => true,
      drop: ({ code }) => {
        dropped.push(`${caller.name} ${code}`);
        place[Symbol.dispose]();
      },
    });
    return place;
  };
  join(first);
  const screen = new SimulatedScreen();
  screen.draw('seen');
  if (isSeen) asked[0]?.answer({ frame: screen.log.since(0)?.frame });
  /** The newest call fails, and the host is asked again. */
  const failsWith = async (error: Error): Promise<void> => {
    const count = asked.length;
    asked.at(-1)?.fail(error);
    const isAskedAgain = (): boolean => {
      returns.emit(ID);
      return asked.length > count;
    };
    await until(() => agent.isOver || isAskedAgain(), { timeoutMs: 5_000 });
  };
  return { agent, clock, callers, dropped, join, failsWith };
};

test('a host that was away for long has the time of a first look all the same', async () => {
  const { agent, clock, failsWith } = watched();
  await failsWith(new BrokenCall('UNAVAILABLE', 'the line broke'));
  clock.advance(60_000);
  await failsWith(NOT_YET);
  expect(agent.ended).toBeNull();
});

test('an agent that its host does not know for longer than a first look takes has ended', async () => {
  const { agent, clock, failsWith } = watched();
  await failsWith(NOT_YET);
  clock.advance(9_000);
  await failsWith(NOT_YET);
  expect(agent.ended).toBeNull();
  clock.advance(2_000);
  await failsWith(NOT_YET);
  expect(agent.ended?.reason).toBe('agent_removed');
});

test('a line that broke in between is no word of the host', async () => {
  const { agent, clock, failsWith } = watched();
  await failsWith(NOT_YET);
  await failsWith(new BrokenCall('UNAVAILABLE', 'the line broke'));
  clock.advance(60_000);
  await failsWith(NOT_YET);
  expect(agent.ended).toBeNull();
});

test('a screen that a peer began to watch is asked for in the name of one of our own, once there is one', async () => {
  const { join, callers, failsWith } = watched(PEER);
  await failsWith(new FleetError('RESOURCE_EXHAUSTED', 'as many calls of other cells as may'));
  join(ME);
  await failsWith(new FleetError('RESOURCE_EXHAUSTED', 'as many calls of other cells as may'));
  expect(callers).toEqual(['partner/ann', 'partner/ann', 'me']);
});

test('what is refused to a peer drops none of our own, in whose name it is asked for then', async () => {
  const { agent, join, callers, dropped, failsWith } = watched(PEER, { isSeen: false });
  join(ME);
  await failsWith(new FleetError('RESOURCE_EXHAUSTED', 'as many calls of other cells as may'));
  expect([callers, dropped, agent.isOver]).toEqual([['partner/ann', 'me'], ['partner/ann RESOURCE_EXHAUSTED'], false]);
  await failsWith(new FleetError('RESOURCE_EXHAUSTED', 'as many calls as may'));
  expect([callers.length, dropped.at(-1), agent.isOver]).toEqual([2, 'me RESOURCE_EXHAUSTED', true]);
});

test('what is refused to a peer drops all peers when there are no others', async () => {
  const { agent, join, dropped, failsWith } = watched(PEER, { isSeen: false });
  join({ ...PEER, name: 'partner/bob' });
  await failsWith(new FleetError('RESOURCE_EXHAUSTED', 'as many calls of other cells as may'));
  expect([dropped, agent.isOver]).toEqual([['partner/ann RESOURCE_EXHAUSTED', 'partner/bob RESOURCE_EXHAUSTED'], true]);
});
