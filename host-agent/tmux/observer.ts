/** How fleet's own tmux clients look from outside: any fleet of this machine knows them by their terminal name. */

/** Sent as TERM and shown by tmux as `client_termname`; a control client has no use of TERM itself. */
export const OBSERVER_TERM = 'fleet-observer';

/** Nothing else of ours may reach a server: `update-environment` would copy it into sessions. */
export const observerEnvironment = (): Record<string, string> => ({
  PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
  LC_CTYPE: 'C.UTF-8',
  TERM: OBSERVER_TERM,
});
