import { expect, test } from 'vitest';
import { FleetView } from '../../../src/view/fleet-view.ts';
import { ViewImage } from '../../../src/view/view-image.ts';
import {
  WatchAgentsResponse as WatchAgentsMessage,
  type WatchAgentsResponse,
} from '../../../src/wire/gen/fleet/v1/view.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { addHost, caller, framesOf } from './view-ground.ts';

test('an image follows its source: same rows, ages that go on, and what a new snapshot does not name is gone', async () => {
  const clock = new MovedClock();
  const source = new FleetView({ clock });
  addHost(source, clock, 'a');
  addHost(source, clock, 'b');
  source.putRow('a/u', 'k', Buffer.from('1'));
  source.putRow('b/u', 'k', Buffer.from('1'));
  const copy = new FleetView({ clock });
  const image = new ViewImage({ view: copy, clock });
  for (const frame of await framesOf(source, clock)) image.apply(frame);
  expect([...copy.hostAgents()].map((h) => h.id)).toEqual(['a/u', 'b/u']);
  clock.advance(3_000);
  expect(copy.say(copy.hostAgent('a/u')!).heardAgeMs).toBe(3_000);

  const fresh = new FleetView({ clock });
  addHost(fresh, clock, 'a');
  for (const frame of await framesOf(fresh, clock)) image.apply(frame);
  expect([...copy.hostAgents()].map((h) => h.id)).toEqual(['a/u']);
  expect(copy.rowsOf('a/u').size).toBe(0);
});

test('an image whose source cannot be heard keeps its rows and says why', async () => {
  const clock = new MovedClock();
  const source = new FleetView({ clock });
  addHost(source, clock, 'a');
  source.putRow('a/u', 'k', Buffer.from('1'));
  const copy = new FleetView({ clock });
  const image = new ViewImage({ view: copy, clock });
  for (const frame of await framesOf(source, clock)) image.apply(frame);
  image.unreachable('lost', 'controller_unreachable');
  expect(copy.hostAgent('a/u')?.linkState).toBe('lost');
  expect(copy.rowsOf('a/u').size).toBe(1);
});

test('an aborted snapshot removes nothing when the reader then resumes', () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  const image = new ViewImage({ view, clock });
  addHost(view, clock, 'a');
  view.putRow('a/u', 'k', Buffer.from('row'));
  const opened = (resumed: boolean) => ({ opened: { cell: 'home', resumed, caller } }) as WatchAgentsResponse;
  image.apply(opened(false));
  image.apply(opened(true));
  image.apply({ bookmark: { resumeToken: 't', upstream: undefined } } as WatchAgentsResponse);
  expect(view.rowsOf('a/u').size).toBe(1);
});

test('what a host was not told yet travels with its age, and of the answering host-agent that alone is heard elsewhere', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  for (const host of ['a', 'own']) addHost(view, clock, host);
  const now = clock.monotonicMs();
  const behind = { state: 'waiting', reason: '', givenAtMono: now - 5_000, expiresAtMono: now + 60_000 } as const;
  view.setBehind('a/u', behind);
  view.setBehind('own/u', behind);
  const { revision } = view.log;
  view.setBehind('a/u', { ...behind, expiresAtMono: now + 60_500 });
  expect(view.log.revision).toBe(revision);
  clock.advance(1_000);
  const there = new MovedClock();
  const copy = new FleetView({ clock: there });
  addHost(copy, there, 'own');
  copy.putHostAgent({ ...copy.hostAgent('own/u')!, here: true, linkState: 'resuming' });
  const image = new ViewImage({ view: copy, clock: there });
  for (const frame of await framesOf(view, clock))
    image.apply(WatchAgentsMessage.decode(WatchAgentsMessage.encode(frame).finish()));
  const told = { state: 'waiting', reason: '', ageMs: 6_000, expiresInMs: 59_000 };
  expect(copy.say(copy.hostAgent('a/u')!).behind).toEqual(told);
  expect(copy.say(copy.hostAgent('own/u')!)).toMatchObject({ behind: told, here: true, link: { state: 'resuming' } });
  image.clear();
  expect(copy.hostAgent('own/u')?.behind).toBeNull();
});
