/** Which daemon of this machine is given an order: the one that owns the agent, else the one that may do most. */
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import { controllerStatus } from '../client/admin-methods.ts';
import { adminEndpoint, hostAgentEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';

/** A controller on this machine answers within milliseconds, or is no help now. */
const STATUS_DEADLINE_MS = 2_000;

/**
 * Under a context its controller. `here`: the agent is one of the host-agent's own. Elsewhere the controller of this user, as its administrator, where it
 * serves that cell; else the host-agent, which passes orders on as this host's user. The caller disposes of it.
 */
export const orderLine = async (
  paths: Paths,
  target: { here: boolean; cell: string },
  signal: AbortSignal,
): Promise<GrpcChannel> =>
  (target.here ? null : await controllerOf(paths, target.cell, signal)) ?? new GrpcChannel(hostAgentEndpoint(paths));

/** The controller of this user, where one runs here and serves this cell. The caller disposes of it. */
export const controllerOf = async (
  paths: Paths,
  cell: string | null,
  signal: AbortSignal,
): Promise<GrpcChannel | null> => {
  if (paths.context !== null) return null;
  const channel = new GrpcChannel(adminEndpoint(paths));
  try {
    const status = await channel.unary(controllerStatus, {}, { deadlineMs: STATUS_DEADLINE_MS, signal });
    if (cell === null || status.cell === cell) return channel;
  } catch (error) {
    if (!(error instanceof FleetError) || signal.aborted) {
      channel[Symbol.dispose]();
      throw error;
    }
  }
  channel[Symbol.dispose]();
  return null;
};
