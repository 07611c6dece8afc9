/**
 * Calls about one host: answered here when the host-agent named is this one, else by the controller, which alone answers for
 * hosts that may be away. Whoever reaches the socket is this host's user.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { hostAgentId } from '../../src/domain/host-agent.ts';
import { UNPROVEN_SESSION } from '../../src/domain/sender.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import type { GrpcStatus } from '../../src/wire/errors.ts';
import type { FleetServiceServer } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { GetOrderRequest, OrderTarget, SendTextRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { DiagnoseRequest } from '../../src/wire/gen/fleet/v1/view.ts';
import {
  CONTROLLER_CALLS,
  type ControllerCall,
  codecOf,
  HOST_CALLS,
  type HostCall,
  MAX_TUNNEL_CALLS,
} from '../../src/wire/host-calls.ts';
import { answerCall } from '../calls/answer-call.ts';
import { soleAudience } from '../calls/audience.ts';
import { failureStatus } from '../calls/failure-status.ts';
import { type CallContext, localActor, type OwnCalls } from '../calls/own-calls.ts';
import { type IncomingCall, incomingStream, incomingUnary } from './incoming-call.ts';
import { ownEvents } from './own-events.ts';
import { relayCall } from './relay.ts';
import { ResetBudget } from './reset-budget.ts';
import type { ControllerLine, Upstream } from './upstream.ts';

export interface HostCallsOptions {
  calls: OwnCalls;
  /** What happens to whose agents is told where there is no controller to tell of all. */
  view: FleetView;
  line: ControllerLine;
  upstream: Pick<Upstream, 'describe'>;
  log: Logger;
  names(): { host: string; user: string };
  /** Aborts when the daemon stops. */
  signal: AbortSignal;
}

/** Screens and lines that callers of this machine follow at once, of all hosts; as many as go through one tunnel. */
export const MAX_LOCAL_STREAMS = MAX_TUNNEL_CALLS;

export const hostCallHandlers = (given: HostCallsOptions): Pick<FleetServiceServer, LocalCall> => {
  const options: Serving = { ...given, resets: new ResetBudget(systemClock) };
  let streams = 0;
  const serveStream = async (call: LocalCall, incoming: IncomingCall): Promise<void> => {
    if (streams >= MAX_LOCAL_STREAMS) {
      const many = `${streams} streams are open on this machine already: try again later`;
      incoming.end(statusOf(options, call, new FleetError('RESOURCE_EXHAUSTED', many)));
      return;
    }
    streams += 1;
    await serve(options, call, incoming);
    streams -= 1;
  };
  const handlers = [...HOST_CALLS, ...CONTROLLER_CALLS].map((call) => [
    call,
    codecOf(call).responseStream
      ? (stream: Parameters<typeof incomingStream>[0]) => void serveStream(call, incomingStream(stream, options.signal))
      : (unary: Parameters<typeof incomingUnary>[0], reply: Parameters<typeof incomingUnary>[1]) =>
          void serve(options, call, incomingUnary(unary, reply, options.signal)),
  ]);
  return Object.fromEntries(handlers) as Pick<FleetServiceServer, LocalCall>;
};

type LocalCall = HostCall | ControllerCall;

/** The options, and what all calls of the socket share. */
type Serving = HostCallsOptions & { resets: ResetBudget };

/** A call that its caller gave up has cost the line a reset. */
const givenUpWithin = async (
  resets: ResetBudget,
  { signal }: IncomingCall,
  ask: () => Promise<void>,
): Promise<void> => {
  const reserved = resets.reserve();
  try {
    await ask();
  } finally {
    if (!signal.aborted) reserved[Symbol.dispose]();
  }
};

const KEPT_ELSEWHERE: Record<ControllerCall, string> = {
  putIntent: 'an intent is kept by a controller: it can be given',
  getIntent: 'an intent is kept by a controller: it can be given',
  watchEvents: 'events are kept by the controller: they can be told',
};

const isControllers = (call: LocalCall): call is ControllerCall =>
  (CONTROLLER_CALLS as readonly string[]).includes(call);

const serve = async (options: Serving, call: LocalCall, incoming: IncomingCall): Promise<void> => {
  try {
    if (call === 'sendText') sayWhereFrom(options, incoming.request as SendTextRequest);
    if (call === 'getOrder') await ownOrderFirst(options, incoming);
    else if (call === 'watchEvents' && !options.line.enrolled) await ownEvents(options, incoming);
    else if (isControllers(call)) await relay(options, call, incoming, KEPT_ELSEWHERE[call]);
    else if (isHere(options, call, incoming.request)) await answerHere(options, call, incoming);
    else await relay(options, call, incoming, `${hostIn(call, incoming.request)} can only be asked`);
    incoming.end(null);
  } catch (error) {
    incoming.end(statusOf(options, call, error));
  }
};

const answerHere = (
  options: HostCallsOptions,
  call: HostCall,
  { request, sink, signal }: IncomingCall,
): Promise<void> => {
  const { host, user } = options.names();
  const name = `${user}@${host}`;
  const context: CallContext = {
    origin: { actor: localActor(user), name, kind: 'local', role: 'operator', federated: false },
    audience: soleAudience(name),
    signal,
  };
  return answerCall(options.calls, call, request, sink, context);
};

/** Refuses with UNAVAILABLE, saying `what`, when there is no controller to ask. */
const relay = (options: Serving, call: LocalCall, incoming: IncomingCall, what: string): Promise<void> => {
  const { channel } = options.line;
  if (channel !== null) return givenUpWithin(options.resets, incoming, () => relayCall(channel, call, incoming));
  const { reason } = options.upstream.describe();
  const why = reason ? ` (${reason})` : '';
  throw new FleetError('UNAVAILABLE', `${what} through the controller, and that is not reachable${why}`);
};

/** An id says nothing of its host: our own journal is read first. */
const ownOrderFirst = async (options: Serving, incoming: IncomingCall): Promise<void> => {
  try {
    await answerHere(options, 'getOrder', incoming);
  } catch (error) {
    const isElsewhere = error instanceof FleetError && ['NOT_FOUND', 'UNIMPLEMENTED'].includes(error.code);
    if (!isElsewhere || !options.line.enrolled) throw error;
    const { id } = incoming.request as GetOrderRequest;
    await relay(options, 'getOrder', incoming, `order ${id} is not of this host: others can only be asked`);
  }
};

/** The host of a message's label is this one, whatever the request says. */
const sayWhereFrom = ({ names }: HostCallsOptions, request: SendTextRequest): void => {
  request.sender = { session: request.sender?.session || UNPROVEN_SESSION, host: names().host };
};

/** `host/user`, or for a diagnosis also `host` or nothing. */
const hostIn = (call: HostCall, request: unknown): string => {
  if (call === 'diagnose') return (request as DiagnoseRequest).host;
  const { hostAgent, target } = request as { hostAgent?: string; target?: OrderTarget };
  return hostAgent ?? target?.hostAgent ?? '';
};

const isHere = ({ names }: HostCallsOptions, call: HostCall, request: unknown): boolean => {
  const { host, user } = names();
  const wanted = hostIn(call, request);
  if (call === 'diagnose' && (wanted === '' || wanted === host)) return true;
  if (wanted === '') throw new FleetError('INVALID_ARGUMENT', 'the request names no host-agent: host/user');
  return wanted === hostAgentId(host, user);
};

/** The controller's status as it came; our own failures as everywhere. */
const statusOf = ({ log }: HostCallsOptions, call: LocalCall, error: unknown): GrpcStatus => {
  const { code, details } = error as Partial<GrpcStatus>;
  if (!(error instanceof FleetError) && typeof code === 'number') return { code, details: details ?? '' };
  return failureStatus(error, log, { call });
};
