/** A Connect call as the uplink's stream: one end however it ended, a failure with its own status. */
import type { FleetError } from '../../src/domain/errors.ts';
import type { HostAgentServiceService } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { Handlers } from '../grpc/handlers.ts';
import { tunnelHandler } from './tunnel-call.ts';
import type { Tunnels } from './tunnels.ts';
import type { Uplink } from './uplink.ts';

/** Host, user and tenant come from the caller that the door proved. */
export const hostAgentHandlers = (uplink: Uplink, tunnels: Tunnels): Handlers<typeof HostAgentServiceService> => ({
  tunnel: tunnelHandler(tunnels),
  connect: ({ host, user, tenantId }, call, { signal }) =>
    new Promise<void>((resolve, reject) => {
      let end = (): void => {};
      const over = (): void => {
        end();
        resolve();
      };
      call.on('end', over);
      call.on('cancelled', over);
      call.on('close', over);
      call.on('error', over);
      signal.addEventListener(
        'abort',
        () => {
          uplink.fallen(`${host}/${user}`, signal.reason);
          over();
        },
        { once: true },
      );
      uplink.connect(
        { host, user, tenantId },
        {
          onMessage: (listener) => void call.on('data', listener),
          onEnd: (listener) => {
            end = listener;
          },
          write: (message) => call.write(message),
          end: resolve,
          fail: (error: FleetError) => {
            end();
            reject(error);
          },
        },
      );
    }),
});
