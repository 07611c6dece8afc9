import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { CallContext, OwnCalls } from '../../../../host-agent/calls/own-calls.ts';
import { serveTunnel } from '../../../../host-agent/report/tunnel.ts';
import { FleetError } from '../../../../src/domain/errors.ts';
import { silentLogger } from '../../../../src/runtime/logger.ts';
import { GRPC_CODES } from '../../../../src/wire/errors.ts';
import type { CallBegin, TunnelReply } from '../../../../src/wire/gen/fleet/v1/host_agent.ts';
import {
  CALL_WINDOW_BYTES,
  codecOf,
  MAX_REQUEST_BYTES,
  MAX_RESPONSE_BYTES,
  MAX_TUNNEL_CALLS,
} from '../../../../src/wire/host-calls.ts';
import { until } from '../../../helpers/until.ts';

const SOON = { timeoutMs: 5_000 };

/** The controller's end, as a test plays it. */
class Line extends EventEmitter {
  readonly replies: TunnelReply[] = [];
  isFull = false;
  isCancelled = false;
  write(reply: TunnelReply): boolean {
    this.replies.push(reply);
    return !this.isFull;
  }
  cancel(): void {
    this.isCancelled = true;
  }
  endOf(callId: bigint) {
    return this.replies.find((reply) => reply.callId === callId && reply.end)?.end;
  }
}

const caller = { actor: 'a', name: 'ann', kind: 'operator', role: 'operator', tenantId: 'default', federated: false };
const explainBegin = (over: Partial<CallBegin> = {}): CallBegin => ({
  method: 'ExplainAgent',
  request: codecOf('explainAgent').requestSerialize({ hostAgent: 'h/u', key: 'a' }),
  caller,
  deadlineMs: 0,
  ...over,
});

const served = (calls: Partial<OwnCalls>) => {
  const line = new Line();
  const stopping = new AbortController();
  const over = serveTunnel(line as never, calls as OwnCalls, silentLogger(), stopping.signal);
  const begin = (callId: bigint, over: Partial<CallBegin> = {}): void =>
    void line.emit('data', { callId, begin: explainBegin(over) });
  return { line, stopping, over, begin };
};

const hanging = () => {
  const contexts: CallContext[] = [];
  const explainAgent = (_: unknown, context: CallContext): Promise<never> => {
    contexts.push(context);
    return new Promise((_, reject) => {
      context.signal.addEventListener('abort', () => reject(new FleetError('CANCELLED', 'given up')));
    });
  };
  return { contexts, explainAgent };
};

test('what cannot be read, is too large, unknown or on nobody’s behalf is refused, each by its own call', async () => {
  const { line, begin } = served({});
  begin(1n, { request: Buffer.from([0xff, 0xff]) });
  begin(2n, { request: Buffer.alloc(MAX_REQUEST_BYTES + 1) });
  begin(3n, { method: 'EraseEverything' });
  begin(4n, { caller: undefined });
  await until(() => line.replies.length === 4, SOON);
  expect([1n, 2n, 3n, 4n].map((id) => line.endOf(id)?.code)).toEqual([
    GRPC_CODES.INVALID_ARGUMENT,
    GRPC_CODES.INVALID_ARGUMENT,
    GRPC_CODES.UNIMPLEMENTED,
    GRPC_CODES.INVALID_ARGUMENT,
  ]);
});

test('a deadline longer than any timer is no failure of the host', async () => {
  const { contexts, explainAgent } = hanging();
  const { line, begin } = served({ explainAgent });
  begin(1n, { deadlineMs: 2 ** 32 + 5_000 });
  begin(2n, { deadlineMs: 2 ** 32 - 1 });
  begin(3n, { deadlineMs: 1 });
  await until(() => line.endOf(3n), SOON);
  expect(contexts.map(({ signal }) => signal.aborted)).toEqual([false, false, true]);
});

test('calls beyond the bound are refused, and those that run go on', async () => {
  const { contexts, explainAgent } = hanging();
  const { line, begin } = served({ explainAgent });
  for (let n = 1; n <= MAX_TUNNEL_CALLS + 1; n++) begin(BigInt(n));
  await until(() => contexts.length === MAX_TUNNEL_CALLS, SOON);
  expect(line.endOf(BigInt(MAX_TUNNEL_CALLS + 1))?.code).toBe(GRPC_CODES.RESOURCE_EXHAUSTED);
  expect(line.replies).toHaveLength(1);
  line.emit('data', { callId: 1n, cancel: {} });
  await until(() => line.endOf(1n), SOON);
  begin(1_000n);
  await until(() => contexts.length === MAX_TUNNEL_CALLS + 1, SOON);
});

test('a cancelled call, a deadline and the end of the stream abort what they are about', async () => {
  const { contexts, explainAgent } = hanging();
  const { line, begin, over } = served({ explainAgent });
  begin(1n);
  begin(2n, { deadlineMs: 20 });
  begin(3n);
  await until(() => contexts.length === 3, SOON);
  line.emit('data', { callId: 1n, cancel: {} });
  await until(() => contexts[0]?.signal.aborted && contexts[1]?.signal.aborted, SOON);
  expect(contexts[2]?.signal.aborted).toBe(false);
  line.emit('status', { code: 14, details: 'the cable' });
  await over;
  expect(contexts[2]?.signal.aborted).toBe(true);
  expect(line.isCancelled).toBe(true);
  expect(line.endOf(3n)).toBeUndefined();
});

test('those for whom a shared call goes on are told to it', async () => {
  const { contexts, explainAgent } = hanging();
  const { line, begin } = served({ explainAgent });
  begin(1n);
  await until(() => contexts.length === 1, SOON);
  const heard: (readonly string[])[] = [contexts[0]!.audience.watchers];
  contexts[0]?.audience.onChange(() => heard.push(contexts[0]!.audience.watchers));
  line.emit('data', { callId: 1n, audience: { watchers: ['ann', 'bob'] } });
  expect(heard).toEqual([['ann'], ['ann', 'bob']]);
});

test('an answer too large fails its own call; a handler’s failure keeps its words, a bug’s inside stays here', async () => {
  const failures: Error[] = [new FleetError('NOT_FOUND', 'no such agent'), new TypeError('secret')];
  const large = { readiness: 'x'.repeat(MAX_RESPONSE_BYTES), reason: '', reasonCode: '', evidence: [], rules: '' };
  const { line, begin } = served({
    explainAgent: async () => {
      const failure = failures.shift();
      if (failure) throw failure;
      return { ...large, prompt: undefined };
    },
  });
  for (const id of [1n, 2n, 3n]) begin(id);
  await until(() => line.replies.length === 3, SOON);
  expect(line.endOf(1n)).toEqual({ code: GRPC_CODES.NOT_FOUND, details: 'no such agent' });
  expect(line.endOf(2n)?.code).toBe(GRPC_CODES.INTERNAL);
  expect(line.endOf(2n)?.details).not.toContain('secret');
  expect(line.endOf(3n)?.code).toBe(GRPC_CODES.RESOURCE_EXHAUSTED);
});

test('a call waits while the stream is full, and while too much of what it said was not taken', async () => {
  const half = { lines: ['x'.repeat(CALL_WINDOW_BYTES / 2)], fullScreen: false, missed: 0, end: undefined };
  let written = 0;
  const { line } = served({
    tailTerminal: async (_, sink, { signal }) => {
      for (; written < 4 && !signal.aborted; written++) if (!sink.write(half)) await sink.drained(signal);
    },
  });
  const asked = { hostAgent: 'h/u', key: 'a', lines: 1, follow: false, lastRun: 0 };
  const request = codecOf('tailTerminal').requestSerialize(asked);
  line.emit('data', { callId: 1n, begin: { method: 'TailTerminal', request, caller, deadlineMs: 0 } });
  await until(() => line.replies.length === 2, SOON);
  const idle = () => new Promise((resolve) => setImmediate(resolve));
  await idle();
  expect(line.replies).toHaveLength(2);
  line.isFull = true;
  line.emit('data', { callId: 1n, credit: { bytes: CALL_WINDOW_BYTES } });
  await until(() => line.replies.length === 3, SOON);
  await idle();
  expect(line.replies).toHaveLength(3);
  line.isFull = false;
  line.emit('drain');
  await until(() => line.replies.length === 4, SOON);
  line.emit('data', { callId: 1n, credit: { bytes: CALL_WINDOW_BYTES } });
  await until(() => line.endOf(1n), SOON);
  expect(line.replies.filter(({ message }) => message)).toHaveLength(4);
});
