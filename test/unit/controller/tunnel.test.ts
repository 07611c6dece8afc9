import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HostCalls } from '../../../controller/uplink/host-calls.ts';
import { BrokenCall, Tunnel } from '../../../controller/uplink/tunnel.ts';
import { Tunnels } from '../../../controller/uplink/tunnels.ts';
import type { FleetError } from '../../../src/domain/errors.ts';
import type { TunnelCall } from '../../../src/wire/gen/fleet/v1/host_agent.ts';
import { CALL_WINDOW_BYTES, codecOf } from '../../../src/wire/host-calls.ts';

const ID = 'dragon-lin/u';
const caller = { actor: 'a', name: 'n', kind: 'host', role: 'operator', tenantId: 'default', federated: false };

/** The host's end of a tunnel, as a test plays it. */
class Far {
  readonly sent: TunnelCall[] = [];
  failure: FleetError | null = null;
  readonly tunnel = new Tunnel(ID, {
    write: (call, flushed) => {
      this.sent.push(call);
      flushed();
    },
    fail: (error) => {
      this.failure = error;
    },
  });

  says(callId: bigint, rules: string): void {
    const explained = { readiness: '', reason: '', reasonCode: '', evidence: [], prompt: undefined, rules };
    this.tunnel.take({ callId, message: codecOf('explainAgent').responseSerialize(explained) });
  }

  ends(callId: bigint, code = 0, details = ''): void {
    this.tunnel.take({ callId, end: { code, details } });
  }
}

const house = () => {
  const connected = new Set([ID]);
  let asked = 0;
  const tunnels = new Tunnels({
    isConnected: (id) => connected.has(id),
    askForTunnel: (id) => {
      asked++;
      return connected.has(id);
    },
    standing: () => 'lost (silent), last heard 40 s ago',
  });
  const calls = new HostCalls(tunnels);
  const open = (): Far => {
    const far = new Far();
    tunnels.opened(ID, far.tunnel);
    return far;
  };
  const explain = (over: { deadlineMs?: number; signal?: AbortSignal } = {}) =>
    calls.unary(
      ID,
      'explainAgent',
      { hostAgent: ID, key: 'a' },
      { caller, signal: new AbortController().signal, deadlineMs: 0, ...over },
    );
  return { calls, tunnels, connected, open, explain, asked: () => asked };
};

/** What a call rejects with. */
const failure = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => Promise.reject(new Error('it was answered')),
    (error: Error) => error,
  );

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('the tunnel is asked for when somebody calls, and the call goes through once it is there', async () => {
  const { open, explain, asked } = house();
  expect(asked()).toBe(0);
  const call = explain();
  expect(asked()).toBe(1);
  const far = open();
  await vi.waitFor(() => expect(far.sent[0]?.begin?.method).toBe('ExplainAgent'), { timeout: 20_000 });
  far.says(1n, 'pi 1');
  far.ends(1n);
  expect((await call).rules).toBe('pi 1');
});

test('a host that is not connected is said to be, at once; one that opens no tunnel, after a while', async () => {
  const { connected, explain } = house();
  const waiting = failure(explain());
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await waiting).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(/no tunnel within 5 s/) });
  connected.clear();
  expect(await failure(explain())).toMatchObject({
    code: 'UNAVAILABLE',
    message: `${ID} cannot be asked: lost (silent), last heard 40 s ago`,
  });
});

test('a session that ends while its tunnel is waited for ends the wait', async () => {
  const { tunnels, connected, explain } = house();
  const waiting = failure(explain());
  connected.clear();
  tunnels.sessionChanged(ID, false);
  expect(await waiting).not.toBeInstanceOf(BrokenCall);
});

test('a line that breaks under a call, or a host that is silent beyond the deadline, leaves open what it did', async () => {
  const { tunnels, open, explain } = house();
  const far = open();
  const broken = failure(explain());
  tunnels.sessionChanged(ID, false);
  expect(await broken).toBeInstanceOf(BrokenCall);
  expect(far.failure?.code).toBe('ABORTED');
  const next = open();
  const late = failure(explain({ deadlineMs: 1_000 }));
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await late).toBeInstanceOf(BrokenCall);
  expect(await late).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  expect(next.sent.at(-1)).toEqual({ callId: 1n, cancel: {} });
});

test('the newest tunnel of a host takes the place of the one before; without a session there is none', async () => {
  const { connected, open, explain } = house();
  const older = open();
  const broken = failure(explain());
  const newer = open();
  expect(await broken).toBeInstanceOf(BrokenCall);
  expect(older.failure).not.toBeNull();
  const call = explain();
  newer.says(1n, 'x');
  newer.ends(1n);
  await call;
  connected.clear();
  expect(open().failure?.message).toMatch(/beside a Connect stream/);
});

test('what comes for a call that was given up, or that nobody made, changes nothing', async () => {
  const { open, explain } = house();
  const far = open();
  const leaving = new AbortController();
  const left = failure(explain({ signal: leaving.signal }));
  leaving.abort(new Error('the caller left'));
  expect((await left).message).toBe('the caller left');
  expect(far.sent.at(-1)?.cancel).toEqual({});
  far.says(1n, 'late');
  far.ends(1n);
  far.says(99n, 'nobody asked');
  const call = explain();
  far.says(2n, 'mine');
  far.ends(2n);
  expect((await call).rules).toBe('mine');
});

test('a host’s status keeps its words, whatever its code; an answer that is none is a failure', async () => {
  const { open, explain } = house();
  const far = open();
  const refused = failure(explain());
  far.ends(1n, 9, 'a menu is up');
  expect(await refused).toMatchObject({ code: 'FAILED_PRECONDITION', message: 'a menu is up' });
  const odd = failure(explain());
  far.ends(2n, 77, 'from the future');
  expect(await odd).toMatchObject({ code: 'INTERNAL', message: 'from the future' });
  const garbage = failure(explain());
  far.tunnel.take({ callId: 3n, message: Buffer.from([0xff, 0xff]) });
  expect(await garbage).toBeInstanceOf(Error);
  const nothing = failure(explain());
  far.ends(4n);
  expect(await nothing).toMatchObject({ code: 'INTERNAL' });
});

test('the host may send on when most of what it sent was taken, and no sooner', async () => {
  const { calls, open } = house();
  const far = open();
  const taken: (() => void)[] = [];
  const request = { hostAgent: ID, key: 'a', lines: 1, follow: false, lastRun: 0 };
  const options = { caller, signal: new AbortController().signal, deadlineMs: 0 };
  void calls.stream(ID, 'tailTerminal', request, options, (_, bytes, take) => taken.push(() => take(bytes)));
  const message = codecOf('tailTerminal').responseSerialize({
    lines: ['x'.repeat(CALL_WINDOW_BYTES / 2)],
    fullScreen: false,
    missed: 0,
    end: undefined,
  });
  far.tunnel.take({ callId: 1n, message });
  expect(far.sent.some(({ credit }) => credit)).toBe(false);
  taken[0]?.();
  expect(far.sent.at(-1)).toEqual({ callId: 1n, credit: { bytes: message.length } });
});
