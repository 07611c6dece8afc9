/** Who is at a tmux server of a test host. */
import type { Seat } from './fleet-seen.ts';

/** A line in `format` for each client of the server; an empty list where nobody is. */
export const tmuxClients = async (
  { host, user }: Seat,
  { server = 'default', format = '#{client_pid}' } = {},
): Promise<string[]> => {
  const listed = await host.mustSsh(user, `tmux -L ${server} list-clients -F '${format}'`);
  return listed.split('\n').filter((line) => line !== '');
};
