/** Where this machine's daemons answer, and what to type when they do not. */
import type { Paths } from '../../runtime/paths.ts';
import type { Endpoint } from './grpc-channel.ts';

const instanceFlag = (paths: Paths): string => (paths.instance === null ? '' : ` --instance ${paths.instance}`);

export const hostAgentEndpoint = (paths: Paths): Endpoint => ({
  at: { path: paths.hostAgentSocket },
  what: 'host-agent',
  mend: `fleet up${instanceFlag(paths)} starts it`,
});

export const adminEndpoint = (paths: Paths): Endpoint => ({
  at: { path: paths.adminSocket },
  what: 'controller of this user',
  mend: `type this where the controller runs, as its user; fleet up${instanceFlag(paths)} starts one here`,
});
