/** A Tunnel call as a tunnel: one end however it ended. Only a host whose Connect stands may open one; the newest wins. */
import type { HostAgentServiceService, TunnelReply } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { Handlers } from '../grpc/handlers.ts';
import { Tunnel } from './tunnel.ts';
import type { Tunnels } from './tunnels.ts';

/** Host and user come from the caller that the door proved. */
export const tunnelHandler =
  (tunnels: Tunnels): Handlers<typeof HostAgentServiceService>['tunnel'] =>
  ({ host, user }, call, { signal }) =>
    new Promise<void>((resolve, reject) => {
      const tunnel = new Tunnel(`${host}/${user}`, {
        write: (message, flushed) => void call.write(message, flushed),
        fail: reject,
      });
      const over = (): void => {
        tunnel.close('the line to it broke');
        tunnels.closed(`${host}/${user}`, tunnel);
        resolve();
      };
      call.on('data', (reply: TunnelReply) => tunnel.take(reply));
      for (const end of ['end', 'cancelled', 'close', 'error'] as const) call.on(end, over);
      signal.addEventListener('abort', over, { once: true });
      tunnels.opened(`${host}/${user}`, tunnel);
    });
