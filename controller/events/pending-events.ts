import type { FleetEvent } from '../../src/domain/fleet-event.ts';
import { ownerOf } from './event-owner.ts';

/** Without so many of them: of whoever has most, the oldest first. */
export const withoutMost = (pending: readonly FleetEvent[], count: number): FleetEvent[] => {
  const counts = new Map<string, number>();
  for (const event of pending) counts.set(ownerOf(event), (counts.get(ownerOf(event)) ?? 0) + 1);
  const dropped = new Map<string, number>();
  for (let left = count; left > 0; left--) {
    const [owner, most] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0]);
    counts.set(owner, most - 1);
    dropped.set(owner, (dropped.get(owner) ?? 0) + 1);
  }
  return pending.filter((event) => {
    const owner = ownerOf(event);
    const left = dropped.get(owner) ?? 0;
    if (left > 0) dropped.set(owner, left - 1);
    return left === 0;
  });
};
