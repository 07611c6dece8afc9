import { expect, test, vi } from 'vitest';
import type { MessageSink } from '../../../src/runtime/message-sink.ts';
import { FleetView } from '../../../src/view/fleet-view.ts';
import { ViewImage } from '../../../src/view/view-image.ts';
import { streamView } from '../../../src/view/view-stream.ts';
import {
  WatchAgentsResponse as WatchAgentsMessage,
  type WatchAgentsResponse,
} from '../../../src/wire/gen/fleet/v1/view.ts';
import { hostFacts } from '../../helpers/host-agent.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { addHost, framesOf, scope } from './view-ground.ts';

/** A machine that has much else to do. */
const PATIENT = { timeout: 20_000 };

const keysOf = (frames: WatchAgentsResponse[]) => frames.flatMap((f) => f.changes?.agents.map((a) => a.key) ?? []);
const tokenOf = (frames: WatchAgentsResponse[]) => frames.at(-1)?.bookmark?.resumeToken ?? '';

test('a snapshot opens, tells hosts and rows, and ends with a bookmark', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  addHost(view, clock, 'a');
  view.putRow('a/u', 'k', Buffer.from('row'));
  const frames = await framesOf(view, clock);
  expect(frames[0]?.opened?.resumed).toBe(false);
  expect(keysOf(frames)).toEqual(['k']);
  expect(frames.at(-1)?.bookmark).toBeDefined();
});

test('a reader that resumes gets the rows since, and every link anew', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  addHost(view, clock, 'a');
  view.putRow('a/u', 'old', Buffer.from('1'));
  const token = tokenOf(await framesOf(view, clock));
  view.putRow('a/u', 'new', Buffer.from('2'));
  view.removeRow('a/u', 'old');
  const frames = await framesOf(view, clock, { token });
  expect(frames[0]?.opened?.resumed).toBe(true);
  expect(frames[1]?.changes?.hostAgents.map((h) => h.id)).toEqual(['a/u']);
  expect(keysOf(frames)).toEqual(['new']);
  expect(frames.flatMap((f) => f.changes?.removedAgents ?? [])).toEqual([{ hostAgent: 'a/u', key: 'old' }]);
});

test('the token of another run is answered with a snapshot', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  const other = new FleetView({ clock });
  addHost(view, clock, 'a');
  const frames = await framesOf(view, clock, { token: tokenOf(await framesOf(other, clock)) });
  expect(frames[0]?.opened?.resumed).toBe(false);
});

test('rows, removals and hosts of another tenant do not exist for a caller', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  addHost(view, clock, 'mine', 'acme');
  addHost(view, clock, 'theirs', 'other');
  view.putRow('theirs/u', 'secret', Buffer.from('x'));
  view.putRow('mine/u', 'k', Buffer.from('x'));
  const only = scope((tenant) => tenant === 'acme');
  const first = await framesOf(view, clock, { scope: only });
  view.removeRow('theirs/u', 'secret');
  const second = await framesOf(view, clock, { scope: only, token: tokenOf(first) });
  expect(JSON.stringify([first, second])).not.toMatch(/theirs|secret/);
  expect(keysOf(first)).toEqual(['k']);
});

test('large views travel in frames of at most 512 KiB', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  addHost(view, clock, 'a');
  for (let i = 0; i < 3_000; i++) view.putRow('a/u', `k${i}`, Buffer.alloc(400, i));
  const frames = await framesOf(view, clock);
  expect(keysOf(frames).length).toBe(3_000);
  const sizes = frames.map((f) => f.changes?.agents.reduce((sum, a) => sum + a.row.length, 0) ?? 0);
  expect(Math.max(...sizes)).toBeLessThan(512 * 1024);
  expect(frames.length).toBeGreaterThan(3);
});

test('a reader that does not drain holds nothing in a queue and gets each key once, newest value', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  addHost(view, clock, 'a');
  view.putRow('a/u', 'k', Buffer.from('0'));
  const stop = new AbortController();
  const frames: WatchAgentsResponse[] = [];
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const sink: MessageSink<WatchAgentsResponse> = { write: (frame) => frames.push(frame) < 0, drained: () => held };
  const running = streamView(
    view,
    { follow: true, resumeToken: '', localOnly: false, hostsOnly: false },
    scope(),
    sink,
    clock,
    stop.signal,
  );
  for (let i = 1; i <= 500; i++) view.putRow('a/u', 'k', Buffer.from(String(i)));
  expect(frames.length).toBe(1);
  release();
  while (!frames.some((f) => f.bookmark)) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await running;
  const rows = frames.flatMap((f) => f.changes?.agents ?? []);
  expect(rows.map((r) => r.row.toString())).toEqual(['500']);
});

test('proof of life travels on through a second view, however old it is when it arrives there', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  addHost(view, clock, 'a');
  const facts = { ...hostFacts(), hostNowMs: 1 };
  view.heard('a/u', facts);
  const stop = new AbortController();
  const frames: WatchAgentsResponse[] = [];
  const sink: MessageSink<WatchAgentsResponse> = { write: (frame) => frames.push(frame) > 0, drained: async () => {} };
  const request = { follow: true, resumeToken: '', localOnly: false, hostsOnly: false };
  const running = streamView(view, request, scope(), sink, clock, stop.signal);
  const heardFrames = () => frames.flatMap((frame) => frame.heard?.hosts ?? []).length;
  const record = view.hostAgent('a/u');
  await vi.waitFor(() => expect(frames.some((frame) => frame.bookmark)).toBe(true), PATIENT);
  for (let beat = 1; beat <= 3; beat++) {
    clock.advance(2_000);
    view.heard('a/u', { ...facts, hostNowMs: beat });
    // As a relay does: what arrives now was said before this reader was last told.
    if (record) record.heardAtMono = clock.monotonicMs() - 2_500;
    addHost(view, clock, 'b');
    const before = heardFrames();
    await vi.waitFor(() => expect(heardFrames()).toBeGreaterThan(before), PATIENT);
  }
  stop.abort();
  await running;
});

test('a host-agent comes before its first row, also where the log has it after them', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  const reader = new FleetView({ clock });
  const image = new ViewImage({ view: reader, clock });
  const over = new AbortController();
  const addLate = () => {
    addHost(view, clock, 'a');
    for (let n = 0; n < 10; n++) view.putRow('a/u', `k${n}`, Buffer.alloc(60_000, n));
    view.setLink('a/u', 'resuming', 'silent');
  };
  const sink: MessageSink<WatchAgentsResponse> = {
    write: (frame) => {
      if (image.apply(frame)) view.hostAgent('a/u') === undefined ? addLate() : over.abort();
      return true;
    },
    drained: async () => {},
  };
  const request = { follow: true, resumeToken: '', localOnly: false, hostsOnly: false };
  await streamView(view, request, scope(), sink, clock, over.signal);
  expect(reader.rowsOf('a/u').size).toBe(10);
});

test('many host-agents with much to warn of are told in frames that every reader takes', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  for (let n = 0; n < 400; n++) {
    addHost(view, clock, `host-${n}`);
    view.heard(`host-${n}/u`, hostFacts({ warnings: Array.from({ length: 16 }, () => '…'.repeat(200)) }));
  }
  const frames = await framesOf(view, clock);
  const sizes = frames.map((frame) => WatchAgentsMessage.encode(frame).finish().length);
  expect(Math.max(...sizes)).toBeLessThan(512 * 1024);
  expect(new Set(frames.flatMap((f) => f.changes?.hostAgents.map(({ id }) => id) ?? [])).size).toBe(400);
});

test('many host-agents are told with a turn of the loop after each frame of them', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  for (let n = 0; n < 1_000; n++) addHost(view, clock, `host-${n}`);
  let turn = 0;
  const turns: number[] = [];
  const over = new AbortController();
  const count = (): void => {
    turn += 1;
    if (!over.signal.aborted) setImmediate(count);
  };
  count();
  const sink: MessageSink<WatchAgentsResponse> = {
    write: (frame) => {
      if (frame.changes?.hostAgents.length) turns.push(turn);
      return true;
    },
    drained: async () => {},
  };
  const request = { follow: false, resumeToken: '', localOnly: false, hostsOnly: false };
  await streamView(view, request, scope(), sink, clock, over.signal);
  over.abort();
  expect(turns.length).toBeGreaterThan(3);
  expect(new Set(turns.slice(0, 4)).size).toBe(4);
});

test('a reader that lagged behind everything learns that nothing is left', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock, maxRemovals: 1 });
  addHost(view, clock, 'a');
  addHost(view, clock, 'b', 'acme');
  view.putRow('a/u', 'k', Buffer.from('row'));
  const frames: WatchAgentsResponse[] = [];
  const controller = new AbortController();
  const sink: MessageSink<WatchAgentsResponse> = {
    write: (frame) => {
      frames.push(frame);
      const bookmarks = frames.filter(({ bookmark }) => bookmark).length;
      if (frame.bookmark && bookmarks === 1) for (const id of ['a/u', 'b/u']) view.removeHostAgent(id);
      if (frame.bookmark && bookmarks === 2) controller.abort();
      return true;
    },
    drained: async () => {},
  };
  const request = { follow: true, resumeToken: '', localOnly: false, hostsOnly: false };
  const late = setTimeout(() => controller.abort(), PATIENT.timeout);
  await streamView(
    view,
    request,
    scope((tenant) => tenant === 'default'),
    sink,
    clock,
    controller.signal,
  );
  clearTimeout(late);
  expect(frames.filter(({ opened }) => opened)).toHaveLength(2);
  expect(frames.at(-1)?.bookmark).toBeDefined();
});

test('a host whose clock was set is told anew, one whose beats were a little late is not', async () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  addHost(view, clock, 'a');
  view.heard('a/u', hostFacts(), 40);
  const token = tokenOf(await framesOf(view, clock));
  const before = view.log.revision;
  view.heard('a/u', hostFacts(), 700);
  expect(view.log.revision).toBe(before);
  view.heard('a/u', hostFacts(), 3_600_000);
  const frames = await framesOf(view, clock, { token });
  expect(frames.at(-2)?.changes?.hostAgents[0]?.clockSkewMs).toBe(3_600_000);
  expect(view.log.revision).toBeGreaterThan(before);
});
