import { describe, expect, it } from 'vitest';
import { EventHoldings } from '../../../controller/events/event-holdings.ts';
import { withoutMost } from '../../../controller/events/pending-events.ts';
import { waterLevel } from '../../../controller/events/water-level.ts';
import { type FleetEvent, NOTHING_SAID } from '../../../src/domain/fleet-event.ts';

const eventOf = (host: string, atMs: number): FleetEvent => ({
  ...NOTHING_SAID,
  kind: 'up',
  atMs,
  cell: 'home',
  host,
  user: 'u',
  tenantId: 'default',
});

const HOSTS = 1_000;
const crowd = Array.from({ length: 20 * HOSTS }, (_, n) => eventOf(`h${n % HOSTS}`, n));

/** Milliseconds of processor time, the least of some tries. */
const cpuMs = (work: () => void): number => {
  const tries = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...tries);
};

describe('whoever has most gives up first', () => {
  it('all who have more go down to one level', () => {
    expect(waterLevel([9, 1, 5], 4)).toBe(5);
    expect(waterLevel([9, 1, 5], 6)).toBe(4);
    expect(waterLevel([9, 1, 5], 14)).toBe(1 / 3);
    expect([waterLevel([9, 1, 5], 99), waterLevel([], 1)]).toEqual([0, 0]);
  });

  it('of what waits the oldest of the greatest leave, exactly as many as are asked for', () => {
    const hosts = ['a', 'a', 'b', 'a', 'c', 'b', 'a', 'b', 'a'];
    const pending = hosts.map(eventOf);
    const kept = (count: number) => withoutMost(pending, count).map(({ host, atMs }) => host + atMs);
    expect(kept(0)).toHaveLength(9);
    expect(kept(1)).toEqual(['a1', 'b2', 'a3', 'c4', 'b5', 'a6', 'b7', 'a8']);
    expect(kept(3)).toEqual(['b2', 'c4', 'b5', 'a6', 'b7', 'a8']);
    expect(kept(4)).toEqual(['c4', 'b5', 'a6', 'b7', 'a8']);
    expect(kept(9)).toEqual([]);
    for (let count = 0; count <= 9; count++) expect(kept(count)).toHaveLength(9 - count);
  });

  it('many that wait leave at about the price of one', () => {
    const one = cpuMs(() => withoutMost(crowd, 1));
    expect(cpuMs(() => withoutMost(crowd, 5 * HOSTS))).toBeLessThan(8 * one);
  });

  it('many that are stored leave at about the price of one', () => {
    const holdings = new EventHoldings();
    for (const { host, atMs } of crowd) holdings.add(host, atMs, 300);
    const one = cpuMs(() => holdings.beyond(holdings.bytes - 1, HOSTS));
    expect(holdings.beyond(holdings.bytes - 300 * HOSTS, HOSTS)).toHaveLength(HOSTS);
    expect(cpuMs(() => holdings.beyond(holdings.bytes - 300 * HOSTS, HOSTS))).toBeLessThan(8 * one);
  });

  it('of what is stored the greatest go down to one level, and stay above it where the bound cuts them short', () => {
    const holdings = new EventHoldings();
    for (let revision = 1; revision <= 6; revision++) holdings.add('much', revision, 10);
    for (let revision = 11; revision <= 13; revision++) holdings.add('some', revision, 10);
    holdings.add('little', 20, 10);
    const leaving = (keepBytes: number, limit = 100) =>
      holdings.beyond(keepBytes, limit).map(({ revision }) => revision);
    expect(leaving(100)).toEqual([]);
    expect(leaving(71)).toEqual([1, 2, 3]);
    expect(leaving(50)).toEqual([1, 2, 3, 4, 11]);
    expect(leaving(50, 2)).toEqual([1, 2]);
  });
});
