import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventLog } from '../../../controller/events/event-log.ts';
import { SqliteStore } from '../../../controller/store/sqlite-store.ts';
import { type FleetEvent, NOTHING_SAID } from '../../../src/domain/fleet-event.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';

describe('the log of events', () => {
  let folder: string;
  let store: SqliteStore;
  let clock: MovedClock;
  const event = (over: Partial<FleetEvent> = {}): FleetEvent => ({
    ...NOTHING_SAID,
    kind: 'up',
    atMs: clock.nowMs(),
    cell: 'home',
    host: 'h',
    user: 'u',
    tenantId: 'default',
    ...over,
  });
  const open = async (over: { keepBytes?: number; keepMs?: number; maxPending?: number } = {}): Promise<EventLog> => {
    const log = new EventLog({ store, clock, log: silentLogger(), ...over });
    await log.start();
    return log;
  };
  const agents = async (log: EventLog) => (await log.after(0, 1_000)).map(({ agent }) => agent);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fleet-events-'));
    store = new SqliteStore(join(folder, 'c.db'));
    store.start();
    clock = new MovedClock();
  });

  afterEach(() => {
    store.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('lets the oldest go when there are too many bytes, also those of an earlier run', async () => {
    const first = await open();
    first.append(Array.from({ length: 20 }, (_, n) => event({ agent: `a${n}` })));
    await first.stop();
    const bytes = (await store.list('event/', { limit: 1 })).map(({ key, value }) => key.length + value.length);
    const log = await open({ keepBytes: 10 * (bytes[0] as number) });
    log.append([event({ agent: 'new' })]);
    await log.flush();
    const kept = await agents(log);
    expect(kept.length).toBeLessThan(11);
    expect(kept.slice(-2)).toEqual(['a19', 'new']);
    const oldest = (await log.after(0, 1))[0]?.revision ?? 0;
    expect([oldest, oldest - 1_000_000].map((asked) => log.hasGap(asked, () => true))).toEqual([false, true]);
  });

  it('takes of whoever has most: what one host makes pushes out nothing of others, also over a restart', async () => {
    const quiet = { host: 'quiet', tenantId: 'acme' };
    const first = await open();
    first.append([event({ ...quiet, agent: 'q0' }), event({ host: 'other', agent: 'o0' })]);
    first.append(Array.from({ length: 600 }, (_, n) => event({ agent: `a${n}` })));
    first.append([event({ ...quiet, agent: 'q1' })]);
    await first.stop();
    const [entry] = await store.list('event/', { limit: 1 });
    const eachBytes = (entry?.key.length ?? 0) + (entry?.value.length ?? 0);
    const log = await open({ keepBytes: 10 * eachBytes });
    log.append([event({ agent: 'a600' })]);
    await log.flush();
    const kept = await agents(log);
    expect(kept.filter((agent) => !agent.startsWith('a'))).toEqual(['q0', 'o0', 'q1']);
    expect(kept.slice(-2)).toEqual(['q1', 'a600']);
    expect(kept.length).toBeLessThan(11);
    // A reader that was told q0 has missed something of the one host, and nothing of another; it goes on all the same.
    const [told] = await log.after(0, 1);
    const missed = (from: EventLog, host: string) => from.hasGap(told?.revision ?? 0, (owner) => owner.host === host);
    expect(['h', 'quiet', 'other'].map((host) => missed(log, host))).toEqual([true, false, false]);
    expect(log.isBelow(told?.revision ?? 0)).toBe(false);
    await log.stop();
    const again = await open();
    expect(['h', 'quiet'].map((host) => missed(again, host))).toEqual([true, false]);
  });

  it('forgets what left in the midst once all of that time has left', async () => {
    const log = await open({ keepBytes: 1_000, keepMs: 1_000 });
    log.append(Array.from({ length: 9 }, (_, n) => event({ agent: `a${n}` })));
    await log.flush();
    const gaps = async () => (await store.list('event-gap/', { limit: 10 })).map(({ key }) => key);
    expect(await gaps()).toEqual(['event-gap/default/h/u']);
    for (let later = 0; later < 2; later++) {
      clock.advance(120_000);
      log.append([event({ host: 'other' })]);
      await log.flush();
    }
    expect(await gaps()).toEqual([]);
  });

  it('lets those go that are too old', async () => {
    const log = await open({ keepMs: 1_000 });
    log.append([event({ agent: 'old' })]);
    await log.flush();
    clock.advance(120_000);
    log.append([event({ agent: 'new' })]);
    await log.flush();
    expect(await agents(log)).toEqual(['new']);
  });

  it('never gives a number twice, and knows which hosts were lost when it ended', async () => {
    const first = await open();
    first.append([event({ kind: 'host-lost' }), event({ kind: 'host-lost', host: 'g' }), event({ kind: 'host-back' })]);
    await first.stop();
    const log = await open();
    expect([...log.lost]).toEqual(['g/u']);
    log.append([event()]);
    await log.flush();
    expect(log.revision).toBeGreaterThan(first.revision + 1_000);
  });

  it('keeps what the store does not take, up to a bound, and counts the rest', async () => {
    const log = await open({ maxPending: 5 });
    const { commit } = store;
    store.commit = () => Promise.reject(new Error('full'));
    log.append(Array.from({ length: 8 }, (_, n) => event({ agent: `a${n}` })));
    await log.flush();
    expect(log.dropped).toBe(3);
    store.commit = commit.bind(store);
    await log.flush();
    expect(await agents(log)).toEqual(['a3', 'a4', 'a5', 'a6', 'a7']);
  });

  it('drops of what waits that of whoever makes most of it', async () => {
    const log = await open({ maxPending: 5 });
    const { commit } = store;
    store.commit = () => Promise.reject(new Error('full'));
    log.append([
      event({ host: 'quiet', agent: 'q0' }),
      ...Array.from({ length: 8 }, (_, n) => event({ agent: `a${n}` })),
    ]);
    await log.flush();
    store.commit = commit.bind(store);
    await log.flush();
    expect([await agents(log), log.dropped]).toEqual([['q0', 'a4', 'a5', 'a6', 'a7'], 4]);
  });

  it('drops some more than it must, so that not each one that comes makes it count', async () => {
    const log = await open({ maxPending: 100 });
    store.commit = () => Promise.reject(new Error('full'));
    const dropped: number[] = [];
    log.append([event({ host: 'quiet' }), ...Array.from({ length: 99 }, () => event())]);
    for (let n = 0; n < 7; n++) {
      log.append([event()]);
      dropped.push(log.dropped);
    }
    expect(dropped).toEqual([6, 6, 6, 6, 6, 6, 12]);
    await log.flush();
  });

  it('lets some more of what is stored leave than must, so that not each one that comes makes it look', async () => {
    const first = await open();
    first.append(Array.from({ length: 300 }, () => event()));
    await first.stop();
    const all = await store.list('event/', { limit: 1_000 });
    const bytes = all.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    const log = await open({ keepBytes: bytes });
    const count = async () => (await store.list('event/', { limit: 1_000 })).length;
    const counts: number[] = [];
    for (let n = 0; n < 4; n++) {
      log.append([event()]);
      await log.flush();
      counts.push(await count());
    }
    expect(counts).toEqual([297, 298, 299, 300]);
  });

  it('loses nothing that comes while others are being stored', async () => {
    const log = await open({ maxPending: 3 });
    const { commit } = store;
    store.commit = async (...change) => {
      store.commit = commit.bind(store);
      log.append(Array.from({ length: 3 }, (_, n) => event({ agent: `b${n}` })));
      return await store.commit(...change);
    };
    log.append(Array.from({ length: 3 }, (_, n) => event({ agent: `a${n}` })));
    await log.flush();
    expect([await agents(log), log.dropped]).toEqual([['a0', 'a1', 'a2', 'b0', 'b1', 'b2'], 0]);
  });
});
