/**
 * FleetService for the user of this machine: its own rows from memory, the rest from the controller's copy, and calls
 * about one host by whoever can answer them. Whoever reaches the socket is that user.
 */
import type { handleServerStreamingCall, handleUnaryCall } from '@grpc/grpc-js';
import { credentials, Metadata } from '@grpc/grpc-js';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { callSink } from '../../src/runtime/message-sink.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import { streamView } from '../../src/view/view-stream.ts';
import { FleetServiceClient, type FleetServiceServer } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type {
  Caller,
  WatchAgentsRequest,
  WatchAgentsResponse,
  WhoAmIRequest,
  WhoAmIResponse,
} from '../../src/wire/gen/fleet/v1/view.ts';
import type { OwnCalls } from '../calls/own-calls.ts';
import { hostCallHandlers } from './host-calls.ts';
import type { ControllerLine, Upstream } from './upstream.ts';

export interface LocalNames {
  cell: string;
  host: string;
  user: string;
  tenantId: string;
}

export interface LocalFleetServiceOptions {
  view: FleetView;
  upstream: Upstream;
  line: ControllerLine;
  clock: Clock;
  log: Logger;
  version: string;
  /** Read at each call: enrolment may change them. */
  names(): LocalNames;
  /** Whose pane that process runs in: an agent's name, operator or unproven. */
  sessionOf(pid: number): string;
  /** What this host-agent answers about its own agents. */
  calls: OwnCalls;
  /** Aborts when the daemon stops. */
  signal: AbortSignal;
}

/** How long a listing, or a question about oneself, waits for the controller. */
const UPSTREAM_DEADLINE_MS = 2_000;
const RELAY_DEADLINE_MS = 10_000;

export const localFleetService = (options: LocalFleetServiceOptions): FleetServiceServer => {
  const caller = (): Caller => {
    const { user, tenantId } = options.names();
    return { name: user, role: 'operator', tenantId, kind: 'local' };
  };

  const watchAgents: handleServerStreamingCall<WatchAgentsRequest, WatchAgentsResponse> = async (call) => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    call.on('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, options.signal]);
    try {
      using _reader = call.request.localOnly ? null : await options.upstream.open(UPSTREAM_DEADLINE_MS, signal);
      const scope = {
        cell: options.names().cell,
        caller: caller(),
        sees: () => true,
        scope: '',
        hereOnly: call.request.localOnly,
        upstream: () => options.upstream.describe(),
      };
      await streamView(options.view, call.request, scope, callSink(call), options.clock, signal);
      call.end();
    } catch (error) {
      options.log.error({ err: error }, 'watch failed');
      call.destroy(error as Error);
    }
  };

  const whoAmI: handleUnaryCall<WhoAmIRequest, WhoAmIResponse> = (call, reply) => {
    const { cell, host, user } = options.names();
    const { pid } = call.request;
    const local: WhoAmIResponse = {
      caller: caller(),
      cell,
      host,
      user,
      version: options.version,
      upstream: options.upstream.describe(),
      verbs: [],
      tenants: [],
      elsewhere: [],
      ...(pid === undefined ? {} : { session: options.sessionOf(pid) }),
    };
    relay(options.line, (client) =>
      client.whoAmI({}, new Metadata(), { deadline: Date.now() + UPSTREAM_DEADLINE_MS }, (error, answer) =>
        reply(
          null,
          error
            ? local
            : {
                ...local,
                verbs: answer.verbs,
                tenants: answer.tenants,
                elsewhere: answer.elsewhere,
                caller: answer.caller ?? local.caller,
                upstream: local.upstream,
              },
        ),
      ),
    ) || reply(null, local);
  };

  return { watchAgents, whoAmI, ...hostCallHandlers(options) };
};

/** Calls the controller on the uplink's own channel; false when there is none. */
const relay = (
  line: ControllerLine,
  ask: (client: FleetServiceClient, options: { deadline: number }) => void,
): boolean => {
  const channel = line.channel;
  if (channel === null) return false;
  ask(new FleetServiceClient('', credentials.createInsecure(), { channelOverride: channel }), {
    deadline: Date.now() + RELAY_DEADLINE_MS,
  });
  return true;
};
