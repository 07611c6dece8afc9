/** A roster in which agents of a shared tmux server get one of their own; of all others it says what it said before. */
import type { Roster, RosterAgent } from '../../domain/roster.ts';
import type { RosterText } from '../roster-text.ts';
import type { KeyChange } from './changes.ts';
import { editRoster } from './edit-roster.ts';

const ISOLATED: readonly KeyChange[] = [
  { path: ['layout'], value: 'isolated' },
  // A server of its own has a socket of its own.
  { path: ['socket'], value: null },
];

/** `moved` are agents of `roster`, which was read from `text`. It becomes version 2, which knows layouts. */
export const migratedRoster = (text: RosterText, roster: Roster, moved: readonly RosterAgent[]): string => {
  const { agents, version } = roster;
  const leaving = new Set(moved.filter(({ layout }) => layout === 'shared'));
  if (leaving.size === 0) return text.text;
  const stays = agents.some((agent) => agent.layout === 'shared' && !leaving.has(agent));
  return editRoster(text, {
    change: new Map(agents.flatMap((agent, index) => (leaving.has(agent) ? [[index, ISOLATED] as const] : []))),
    ...(version === 1 ? { version2: true } : {}),
    ...(version === 1 && stays ? { defaults: [{ path: ['layout'], value: 'shared' }] as const } : {}),
  });
};
