/**
 * In: what a server said of itself. Out: the session that a control client may attach to without changing
 * anything there, or why none may be. Each rule was seen on a real server; see the README of this folder.
 */
import type { TmuxSession } from '../inventory/source.ts';
import type { ServerTraits } from './list-parse.ts';

export type FollowChoice = { follow: TmuxSession } | { poll: string };

/** Hooks that our coming or leaving would fire. */
const CLIENT_HOOKS = /^(client-(?:attached|detached|session-changed|active))(?:\[\d+\])? +\S/m;

/** 3.3a is 3003, next-3.8 not yet 3008, and what has no such number 0. */
const versionOf = (version: string | null): number => {
  const match = /^(next-)?(\d+)\.(\d+)/.exec(version ?? '');
  return match ? Number(match[2]) * 1_000 + Number(match[3]) - (match[1] ? 1 : 0) : 0;
};

/**
 * Servers up to 3.7c crash when a notification to a control client is about a session (tmux#5243) or, before
 * 3.7, a window that ended in the same moment, as when all its processes are killed at once. A crash that can
 * only take what is ending anyway does no harm.
 */
export const crashRisk = (traits: ServerTraits): string | null => {
  const version = versionOf(traits.version);
  const hasMany = (sets: Map<string, Set<string>>) => [...sets.values()].some((set) => set.size > 1);
  if (version < 3_008 && traits.windowsOf.size > 1 && hasMany(traits.windowsOf)) {
    return 'a session has several windows, and tmux before 3.8 can crash under a control client then (tmux#5243)';
  }
  if (version < 3_007 && traits.panesOf.size > 1 && hasMany(traits.panesOf)) {
    return 'a window has several panes, and tmux before 3.7 can crash under a control client then';
  }
  return null;
};

/**
 * Servers before 3.7 crash when a session comes, goes or is renamed within the some 30 microseconds in which a
 * control client is half attached (tmux#4980): they are attached to only when nothing has changed for a while.
 */
export const mustSettle = (traits: ServerTraits): boolean => versionOf(traits.version) < 3_007;

/**
 * A bare `tmux attach` prefers sessions without clients, and of those the last used one. So: a holder (leading
 * underscore), where nobody means to go; then the session that was not used for longest.
 */
const byPreference = (a: TmuxSession, b: TmuxSession): number =>
  Number(b.name.startsWith('_')) - Number(a.name.startsWith('_')) ||
  (a.activityMs ?? 0) - (b.activityMs ?? 0) ||
  a.createdMs - b.createdMs ||
  Number(a.id.slice(1)) - Number(b.id.slice(1));

export const chooseFollowing = (sessions: readonly TmuxSession[], traits: ServerTraits): FollowChoice => {
  if (sessions.length === 0) return { poll: 'no session to attach to' };
  const version = versionOf(traits.version);
  if (version > 0 && version < 3_002) return { poll: `tmux ${traits.version} cannot be followed; 3.2 or newer can` };
  if (traits.exitUnattached) return { poll: 'exit-unattached is on: a client would keep the server alive' };
  if (traits.focusEvents) return { poll: 'focus-events is on: a client would type a focus sequence into a pane' };
  const [follow] = sessions.filter(({ id }) => !traits.destroyUnattached.has(id)).sort(byPreference);
  if (!follow) return { poll: 'destroy-unattached is on: a client would keep its session alive' };
  const risk = crashRisk(traits);
  return risk === null ? { follow } : { poll: risk };
};

/**
 * From 3.3 on the first client of a session types a focus report into its active pane if the program there asked for
 * them, whatever focus-events says, and no format tells whether it did. Where a client of ours is already, it is done.
 */
export const focusRisk = (traits: ServerTraits, isFollowedHere: boolean): string | null =>
  isFollowedHere || versionOf(traits.version) < 3_003
    ? null
    : 'a client of its own could type a focus report into the pane (tmux 3.3 and newer)';

/** `shown` is what show-hooks printed, of the server and of the session. */
export const hookRisk = (shown: string): string | null => {
  const match = CLIENT_HOOKS.exec(shown);
  return match ? `a ${match[1]} hook is set: a client would fire it` : null;
};
