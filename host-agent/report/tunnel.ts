/**
 * The host's end of a tunnel: calls that the controller makes, answered by the same handlers as those of this user. One
 * stream carries them all; a call that cannot write waits, and holds nothing meanwhile. Its end aborts every call.
 */
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { FleetError } from '../../src/domain/errors.ts';
import { aborted } from '../../src/runtime/aborted.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { CallBegin, TunnelCall, TunnelReply } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import { type CallCodec, callNamed, codecOf, MAX_REQUEST_BYTES, MAX_TUNNEL_CALLS } from '../../src/wire/host-calls.ts';
import { answerCall } from '../calls/answer-call.ts';
import { SharedAudience } from '../calls/audience.ts';
import { failureStatus } from '../calls/failure-status.ts';
import type { OwnCalls } from '../calls/own-calls.ts';
import { CallWindow, callSinkOf, type ReplyStream } from './call-window.ts';

export type TunnelStream = ReplyStream &
  Pick<ClientDuplexStream<TunnelReply, TunnelCall>, 'on' | 'cancel'> & { setMaxListeners(count: number): unknown };

/** What a timer can wait; a longer deadline is this one. */
const MAX_DEADLINE_MS = 2 ** 31 - 1;

interface Running {
  audience: SharedAudience;
  window: CallWindow;
  abort(): void;
}

/** Serves until the stream ends or the signal aborts; never rejects. */
export const serveTunnel = async (
  stream: TunnelStream,
  calls: OwnCalls,
  log: Logger,
  signal: AbortSignal,
): Promise<void> => {
  const running = new Map<bigint, Running>();
  // Every call may wait for the one stream.
  stream.setMaxListeners(0);
  const over = new AbortController();
  const close = (): void => over.abort();
  signal.addEventListener('abort', close, { once: true });
  if (signal.aborted) close();
  stream.on('error', (error: Error) => log.debug({ err: error.message }, 'tunnel broke'));
  stream.on('status', close);
  stream.on('end', close);
  stream.on('data', ({ callId, begin, audience, cancel, credit }: TunnelCall) => {
    if (over.signal.aborted) return;
    if (audience) running.get(callId)?.audience.tell(audience.watchers);
    if (credit) running.get(callId)?.window.credit(credit.bytes);
    if (cancel) running.get(callId)?.abort();
    if (!begin || running.has(callId)) return;
    const end = (error: unknown): void => {
      running.delete(callId);
      if (over.signal.aborted) return;
      const { method } = begin;
      const status = error === null ? { code: 0, details: '' } : failureStatus(error, log, { method });
      stream.write({ callId, end: status });
    };
    if (running.size >= MAX_TUNNEL_CALLS) {
      end(new FleetError('RESOURCE_EXHAUSTED', `this host answers ${MAX_TUNNEL_CALLS} calls at once: try again later`));
      return;
    }
    const own = new AbortController();
    const watchers = new SharedAudience([begin.caller?.name ?? '']);
    const window = new CallWindow();
    running.set(callId, { audience: watchers, window, abort: () => own.abort() });
    const until = [own.signal, over.signal];
    if (begin.deadlineMs > 0) until.push(AbortSignal.timeout(Math.min(begin.deadlineMs, MAX_DEADLINE_MS)));
    void run(stream, calls, callId, begin, watchers, window, AbortSignal.any(until)).then(() => end(null), end);
  });
  await aborted(over.signal);
  signal.removeEventListener('abort', close);
  stream.cancel();
};

const run = async (
  stream: TunnelStream,
  calls: OwnCalls,
  callId: bigint,
  begin: CallBegin,
  audience: SharedAudience,
  window: CallWindow,
  signal: AbortSignal,
): Promise<void> => {
  const call = callNamed(begin.method);
  if (call === undefined) throw new FleetError('UNIMPLEMENTED', `this host answers no ${begin.method}: upgrade it`);
  if (begin.caller === undefined) throw new FleetError('INVALID_ARGUMENT', `${begin.method} on nobody's behalf`);
  const codec = codecOf(call);
  const request = read(codec, begin.request);
  const { actor, name, kind, role, federated } = begin.caller;
  const context = { origin: { actor, name, kind, role, federated }, audience, signal };
  await answerCall(calls, call, request, callSinkOf(stream, callId, codec, window, signal), context);
};

const read = (codec: CallCodec, bytes: Buffer): unknown => {
  if (bytes.length > MAX_REQUEST_BYTES) {
    throw new FleetError('INVALID_ARGUMENT', `${codec.method} of ${bytes.length} bytes; at most ${MAX_REQUEST_BYTES}`);
  }
  try {
    return codec.requestDeserialize(bytes);
  } catch (cause) {
    throw new FleetError('INVALID_ARGUMENT', `the request of ${codec.method} cannot be read`, { cause });
  }
};
