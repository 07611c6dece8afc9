/** Which daemon of this machine is given an order: the one that owns the agent, else the one that may do most. */
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import { controllerStatus } from '../client/admin-methods.ts';
import { adminEndpoint, hostAgentEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';

export interface OrderLine extends Disposable {
  channel: GrpcChannel;
  /** host-agent: relayed where the agent is elsewhere, as this host's user. controller: as its administrator. */
  asks: 'host-agent' | 'controller';
}

/** A controller on this machine answers within milliseconds, or is no help now. */
const STATUS_DEADLINE_MS = 2_000;

/** `here`: the agent is one of the host-agent's own. `cell` is the agent's: another cell's controller knows nothing of it. */
export const orderLine = async (
  paths: Paths,
  target: { here: boolean; cell: string },
  signal: AbortSignal,
): Promise<OrderLine> => {
  const controller = target.here ? null : await controllerOf(paths, target.cell, signal);
  return controller
    ? lineOf(controller, 'controller')
    : lineOf(new GrpcChannel(hostAgentEndpoint(paths)), 'host-agent');
};

const lineOf = (channel: GrpcChannel, asks: OrderLine['asks']): OrderLine => ({
  channel,
  asks,
  [Symbol.dispose]: () => channel[Symbol.dispose](),
});

/** The controller of this user, where one runs here and serves this cell. The caller disposes of it. */
export const controllerOf = async (
  paths: Paths,
  cell: string | null,
  signal: AbortSignal,
): Promise<GrpcChannel | null> => {
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
