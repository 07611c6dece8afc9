import type { Paths } from '../../runtime/paths.ts';
import { adminEndpoint } from './endpoints.ts';
import { GrpcChannel, type Method } from './grpc-channel.ts';

const DEADLINE_MS = 5_000;

/** One call of the controller's administration, on a channel of its own. */
export const askAdmin = async <Q, S>(
  { paths, signal }: { paths: Paths; signal: AbortSignal },
  method: Method<Q, S>,
  request: Q,
): Promise<S> => {
  using channel = new GrpcChannel(adminEndpoint(paths));
  return await channel.unary(method, request, { deadlineMs: DEADLINE_MS, signal });
};
