import type { FleetEvent } from '../../src/domain/fleet-event.ts';
import { ownerOf } from './event-owner.ts';
import { waterLevel } from './water-level.ts';

/** Without so many of them: of whoever has most, the oldest first. */
export const withoutMost = (pending: readonly FleetEvent[], count: number): FleetEvent[] => {
  const owners = pending.map(ownerOf);
  const counts = new Map<string, number>();
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  const level = Math.ceil(waterLevel(counts.values(), count));
  const dropped = new Map([...counts].map(([owner, had]) => [owner, Math.max(0, had - level)]));
  // What no whole level gives: one more of some who have as much as any.
  let more = count - [...dropped.values()].reduce((sum, each) => sum + each, 0);
  for (const [owner, had] of counts) {
    if (more <= 0) break;
    if (had < level) continue;
    dropped.set(owner, had - level + 1);
    more--;
  }
  return pending.filter((_, index) => {
    const owner = owners[index] as string;
    const left = dropped.get(owner) ?? 0;
    if (left > 0) dropped.set(owner, left - 1);
    return left === 0;
  });
};
