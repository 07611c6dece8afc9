/** One question to the host-agent of this machine. */
import type { Paths } from '../runtime/paths.ts';
import { hostAgentEndpoint } from './client/endpoints.ts';
import { type CallOptions, GrpcChannel, type Method } from './client/grpc-channel.ts';

export const askHostAgent = async <Q, R>(
  paths: Paths,
  method: Method<Q, R>,
  request: Q,
  options: CallOptions & { deadlineMs: number },
): Promise<R> => {
  using channel = new GrpcChannel(hostAgentEndpoint(paths));
  return await channel.unary(method, request, options);
};
