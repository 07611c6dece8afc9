/** Who answers: the daemons of this machine, or under a context the controller elsewhere; and what to type when they do not. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Paths } from '../../runtime/paths.ts';
import type { Endpoint } from './grpc-channel.ts';

const instanceFlag = (paths: Paths): string => (paths.instance === null ? '' : ` --instance ${paths.instance}`);

/** FleetService, over what this machine's host-agent or the context's operator may see. */
export const hostAgentEndpoint = (paths: Paths): Endpoint =>
  paths.context !== null
    ? contextEndpoint(paths, paths.context)
    : {
        at: { path: paths.hostAgentSocket },
        what: 'host-agent',
        mend: `fleet up${instanceFlag(paths)} starts it`,
      };

/** AdminService of the controller of this user, or of the context's. */
export const adminEndpoint = (paths: Paths): Endpoint =>
  paths.context !== null
    ? contextEndpoint(paths, paths.context)
    : {
        at: { path: paths.adminSocket },
        what: 'controller of this user',
        mend: controllerMend(paths),
      };

const controllerMend = (paths: Paths): string => {
  const up = `fleet up${instanceFlag(paths)}`;
  if (existsSync(join(paths.state, 'controller'))) return `${up} starts it`;
  const there = 'type this where the controller runs, as its user, or as an admin elsewhere with --context';
  // Whoever is enrolled elsewhere gets no controller by it.
  return existsSync(join(paths.state, 'host-agent/identity.json')) ? there : `${there}; ${up} starts one here`;
};

const contextEndpoint = (paths: Paths, name: string): Endpoint => ({
  at: {
    // What TLS and certificates need is slow to load.
    open: async (signal, withinMs) =>
      (await import('./context-line.ts')).openContext(paths, name, { signal, withinMs }),
    called: `context ${name}`,
  },
  what: 'controller',
  mend: `fleet context ls shows what context ${name} is`,
});
