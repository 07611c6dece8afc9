import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FleetError } from '../../../src/domain/errors.ts';
import { Watching } from '../../helpers/fleet-caller.ts';
import { type HostWish, SimulatedCell } from '../../helpers/simulated-cell.ts';
import { SimulatedScreen } from '../../helpers/simulated-screen.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const TARGET = { hostAgent: 'dragon-lin/u', key: 'a' };
let cell: SimulatedCell;
beforeEach(async () => {
  cell = await SimulatedCell.start();
});
afterEach(() => cell?.end());

/** A host with one agent whose screen the test draws. */
const shown = async (wish: HostWish = {}) => {
  const screen = new SimulatedScreen();
  screen.draw('first', 'second');
  const host = await cell.host('dragon-lin', { calls: { watchTerminal: screen.watch }, ...wish });
  return { screen, host };
};

test('fifty who watch one agent are one call to its host, and all see the same', async () => {
  const { screen } = await shown();
  const client = cell.admin();
  const all = Array.from({ length: 50 }, () => new Watching(client, TARGET).read());
  await until(() => all.every(({ shows }) => shows === 'first\nsecond'), SOON);
  screen.draw('first', 'changed');
  await until(() => all.every(({ shows }) => shows === 'first\nchanged'), SOON);
  expect(screen.asked).toBe(1);
  for (const each of all) each.call.cancel();
});

test('the last watcher that leaves ends the call at the host', async () => {
  const { screen } = await shown();
  const client = cell.admin();
  const [one, two] = [new Watching(client, TARGET).read(), new Watching(client, TARGET).read()];
  await until(() => one.shows !== '' && two.shows !== '', SOON);
  one.call.cancel();
  screen.draw('still', 'seen');
  await until(() => two.shows === 'still\nseen', SOON);
  expect(screen.standing.size).toBe(1);
  two.call.cancel();
  await until(() => screen.standing.size === 0, SOON);
});

test('the quickest reader decides how often the host is asked, without a gap for the others', async () => {
  const { screen } = await shown();
  const slow = new Watching(cell.admin(), TARGET, 60_000).read();
  await until(() => slow.shows !== '', SOON);
  const quick = new Watching(cell.admin(), TARGET, 5).read();
  await until(() => quick.shows !== '' && screen.asked === 2 && screen.standing.size === 1, SOON);
  screen.draw('drawn', 'later');
  await until(() => quick.shows === 'drawn\nlater', SOON);
  expect(slow.states).toEqual(['connected']);
  for (const each of [slow, quick]) each.call.cancel();
});

test('who watches is told to the host and to all who watch', async () => {
  const { screen } = await shown();
  const jarvis = await cell.host('W-jarvis');
  const person = new Watching(cell.admin(), TARGET).read();
  await until(() => person.status?.watchers.length === 1, SOON);
  const other = new Watching(cell.as(jarvis), TARGET).read();
  await until(() => other.shows !== '' && person.status?.watchers.includes('u@W-jarvis'), SOON);
  expect([...screen.standing][0]?.audience.watchers).toEqual(person.status?.watchers);
  other.call.cancel();
  await until(() => !person.status?.watchers.includes('u@W-jarvis'), SOON);
  person.call.cancel();
});

test('watchers who do not read delay nobody, hold little, and see what is there once they read', async () => {
  const { screen } = await shown();
  const reading = new Watching(cell.admin(), TARGET).read();
  const clients = [cell.admin(), await cell.hostAgent('W-jarvis')];
  const stalled = clients.map((client) => new Watching(client, TARGET).read());
  await until(() => reading.shows !== '' && stalled.every(({ shows }) => shows !== ''), SOON);
  for (const { call } of stalled) call.pause();
  // Some 100 kB a frame.
  const line = (round: number, y: number): string => `${round} ${y} ${'x'.repeat(900)}`;
  for (let round = 0; round < 120; round++) {
    screen.draw(...Array.from({ length: 110 }, (_, y) => line(round, y)));
    await until(() => reading.screen.lines[0]?.startsWith(`${round} `), SOON);
  }
  for (const { call } of stalled) call.resume();
  await until(() => stalled.every((each) => each.screen.lines[109] === line(119, 109)), SOON);
  // Sixteen of them were read ahead by the library of the reader itself.
  for (const { screen: seen } of stalled) expect(seen.frames).toBeLessThan(24);
  for (const each of [...stalled, reading]) each.call.cancel();
});

test('a line that is cut and comes back: the picture stays, says how it stands, and goes on by itself', async () => {
  const proxy = await cell.proxy();
  const { screen } = await shown({ dials: [`127.0.0.1:${proxy.port}`] });
  const watching = new Watching(cell.admin(), TARGET).read();
  await until(() => watching.shows === 'first\nsecond', SOON);
  proxy.cut();
  await until(() => watching.status?.link?.state !== 'connected', SOON);
  await until(() => (watching.status?.silentMs ?? 0) > 1_000, SOON);
  expect(watching.shows).toBe('first\nsecond');
  screen.draw('first', 'meanwhile');
  proxy.mend();
  await until(() => watching.shows === 'first\nmeanwhile', SOON);
  await until(() => watching.status?.link?.state === 'connected', SOON);
  expect(watching.isOver).toBe(false);
  expect(screen.asked).toBe(2);
  screen.end('session_ended');
  await until(() => watching.isOver, SOON);
  expect(watching.end?.reason).toBe('session_ended');
  expect(watching.failure).toBeNull();
});

test('a host-agent that starts again is asked again by itself, and an agent that it no longer has ends the watching', async () => {
  const { screen, host } = await shown();
  const watching = new Watching(cell.admin(), TARGET).read();
  await until(() => watching.shows !== '', SOON);
  await host.stop();
  await until(() => watching.status?.link?.state === 'lost', SOON);
  expect(watching.shows).toBe('first\nsecond');
  expect(screen.standing.size).toBe(0);
  expect(watching.isOver).toBe(false);
  const gone = () => Promise.reject(new FleetError('NOT_FOUND', 'no such agent here'));
  await cell.host('dragon-lin', { calls: { watchTerminal: gone } });
  await until(() => watching.isOver, SOON);
  expect(watching.end).toMatchObject({ reason: 'agent_removed', detail: 'no such agent here' });
});

test('a host that cannot show a screen for a moment is asked again, and the picture stays meanwhile', async () => {
  const screen = new SimulatedScreen();
  screen.draw('before');
  const failing = new AbortController();
  await cell.host('dragon-lin', {
    calls: {
      watchTerminal: async (request, sink, context) => {
        const signal = AbortSignal.any([context.signal, failing.signal]);
        await screen.watch(request, sink, screen.asked === 0 ? { ...context, signal } : context);
        if (!context.signal.aborted) throw new FleetError('UNAVAILABLE', 'tmux does not answer');
      },
    },
  });
  const watching = new Watching(cell.admin(), TARGET).read();
  await until(() => watching.shows === 'before', SOON);
  screen.draw('after');
  failing.abort();
  await until(() => watching.shows === 'after', SOON);
  await until(() => watching.states.at(-1) === 'connected', SOON);
  expect(watching.isOver).toBe(false);
  expect(screen.asked).toBe(2);
  watching.call.cancel();
});

test('the session that ends, ends all who watch it, with its reason', async () => {
  const { screen } = await shown();
  const client = cell.admin();
  const all = [1, 2, 3].map(() => new Watching(client, TARGET).read());
  await until(() => all.every(({ shows }) => shows !== ''), SOON);
  screen.draw('last', 'words');
  screen.end('session_ended');
  await until(() => all.every(({ isOver }) => isOver), SOON);
  expect(all.map(({ end, shows }) => [end?.reason, shows])).toEqual(Array(3).fill(['session_ended', 'last\nwords']));
});

test('another tenant’s agent and one that does not exist are the same: not found', async () => {
  await shown({ tenantId: 'theirs' });
  const mine = await cell.host('mine', { tenantId: 'ours' });
  const client = cell.as(mine);
  const refusals = await Promise.all(
    [TARGET, { hostAgent: 'dragon-lin/u', key: 'nothing' }, { hostAgent: 'nowhere/u', key: 'a' }].map(
      async (target) => {
        const watching = new Watching(client, target).read();
        await until(() => watching.isOver, SOON);
        return [watching.failure?.code, watching.failure?.details];
      },
    ),
  );
  expect(refusals).toEqual(Array(3).fill([status.NOT_FOUND, 'no such agent: see "fleet ps"']));
});

test('what the host refuses is told in the host’s words', async () => {
  await cell.host('dragon-lin');
  const watching = new Watching(cell.admin(), TARGET).read();
  await until(() => watching.isOver, SOON);
  expect(watching.failure).toMatchObject({
    code: status.UNIMPLEMENTED,
    details: expect.stringContaining('cannot watchTerminal'),
  });
});

test('a host that is lost before anything was seen of it is said to be', async () => {
  const { host } = await shown();
  await host.stop();
  await until(async () => (await cell.controller.link(host.id)) === 'lost stopped', SOON);
  const watching = new Watching(cell.admin(), TARGET).read();
  await until(() => watching.isOver, SOON);
  expect(watching.failure).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringContaining('stopped') });
});

test('through a host-agent it is the same as from the controller itself', async () => {
  const { screen } = await shown();
  const client = await cell.hostAgent('W-jarvis');
  const relayed = new Watching(client, TARGET).read();
  const direct = new Watching(cell.admin(), TARGET).read();
  screen.draw('wide 漢字', 'second', 'third');
  await until(() => relayed.screen.lines.length === 3 && direct.screen.lines.length === 3, SOON);
  expect(relayed.screen.log.picture).toEqual(direct.screen.log.picture);
  expect(screen.asked).toBe(1);
  const missing = new Watching(client, { ...TARGET, key: 'nothing' }).read();
  await until(() => missing.isOver, SOON);
  expect(missing.failure).toMatchObject({ code: status.NOT_FOUND, details: 'no such agent: see "fleet ps"' });
  relayed.call.cancel();
  direct.call.cancel();
  await until(() => screen.standing.size === 0, SOON);
});
