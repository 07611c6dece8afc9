import type { FleetView } from '../../src/view/fleet-view.ts';

/** How the line to a host stands, in a few words: `lost (silent), last heard 40 s ago`. */
export const lineWords = (view: FleetView, id: string): string => {
  const record = view.hostAgent(id);
  if (record === undefined) return 'it is not enrolled';
  const { link, heardAgeMs, facts } = view.say(record);
  const reason = link.reason === null ? '' : ` (${link.reason})`;
  const heard = facts === null ? 'never heard' : `last heard ${Math.round(heardAgeMs / 1_000)} s ago`;
  return `${link.state}${reason}, ${heard}`;
};
