import type { Roster } from '../domain/roster.ts';

/** A file name in tmux's own folder, without blanks; nothing is the default socket. */
export const SOCKET_NAME = /^(?!\.{1,2}$)[^/\s]*$/;

export const isSocketName = (written: string): boolean => SOCKET_NAME.test(written);

/** A written socket name; nothing, an empty text and `default` are tmux's default socket, which is null. */
export const socketNameOf = (written: string | undefined): string | null =>
  written === undefined || written === '' || written === 'default' ? null : written;

/**
 * The one resolver of an agent's socket, for every use: what its env file says, since its launch obeys that, else
 * the roster's `socket`, else the roster's `tmux.socket_name`, else tmux's default socket (null). Entries of other
 * hosts, which have no env file here, are left out of this host's rows anyway.
 */
export const withLaunchSockets = (roster: Roster, env: ReadonlyMap<string, ReadonlyMap<string, string>>): Roster => ({
  ...roster,
  agents: roster.agents.map((agent) => {
    const written = env.get(agent.name)?.get('MOSAIC_TMUX_SOCKET');
    return written === undefined || !isSocketName(written) ? agent : { ...agent, socketName: socketNameOf(written) };
  }),
});
