/** The RPCs that the CLI calls, by their message codecs only: the generated service stubs load a gRPC library. */
import {
  DiagnoseRequest,
  DiagnoseResponse,
  WatchAgentsRequest,
  WatchAgentsResponse,
  WhoAmIRequest,
  WhoAmIResponse,
} from '../../wire/gen/fleet/v1/view.ts';
import { decodeFrame } from '../../wire/watch-frames.ts';
import type { Method } from './grpc-channel.ts';

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

export const methodOf = <Q, R>(path: string, request: Codec<Q>, response: Codec<R>): Method<Q, R> => ({
  path,
  encode: (message) => request.encode(message).finish(),
  decode: (bytes) => response.decode(bytes),
});

export const watchAgents: Method<WatchAgentsRequest, WatchAgentsResponse> = {
  ...methodOf('/fleet.v1.FleetService/WatchAgents', WatchAgentsRequest, WatchAgentsResponse),
  decode: decodeFrame,
};
export const whoAmI = methodOf('/fleet.v1.FleetService/WhoAmI', WhoAmIRequest, WhoAmIResponse);
export const diagnose = methodOf('/fleet.v1.FleetService/Diagnose', DiagnoseRequest, DiagnoseResponse);
