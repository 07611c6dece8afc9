import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CallContext, OwnCalls } from '../../../../host-agent/calls/own-calls.ts';
import { hostCallHandlers, MAX_LOCAL_STREAMS } from '../../../../host-agent/local/host-calls.ts';
import { LocalServer } from '../../../../host-agent/local/local-server.ts';
import { FleetError } from '../../../../src/domain/errors.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { silentLogger } from '../../../../src/runtime/logger.ts';
import { FleetView } from '../../../../src/view/fleet-view.ts';
import { type FleetServiceClient, FleetServiceService } from '../../../../src/wire/gen/fleet/v1/fleet.ts';
import type { OrderOutcome, SendTextRequest } from '../../../../src/wire/gen/fleet/v1/orders.ts';
import { callerAt, Watching } from '../../../helpers/fleet-caller.ts';
import { notServed } from '../../../helpers/not-served.ts';
import { SimulatedScreen } from '../../../helpers/simulated-screen.ts';
import { failureOf, unary } from '../../../helpers/test-cell.ts';
import { until } from '../../../helpers/until.ts';

const SOON = { timeoutMs: 60_000 };
const OWN = { hostAgent: 'W-jarvis/jarvis', key: 'a' };

let folder: string;
let stopping: AbortController;
let server: LocalServer;
let client: FleetServiceClient;
let enrolled: boolean;
let view: FleetView;
const calls = {} as OwnCalls;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-l-'));
  mkdirSync(join(folder, 'r'), { mode: 0o700 });
  stopping = new AbortController();
  enrolled = false;
  for (const call of Object.keys(calls)) delete calls[call as keyof OwnCalls];
  Object.assign(calls, {
    diagnose: async () => ({ findings: [{ check: 'own', outcome: 'ok', what: '' }] }),
    watchTerminal: notServed('show a screen'),
    getOrder: notServed('tell of an order'),
  });
  const path = join(folder, 'r/host-agent.sock');
  server = new LocalServer(path);
  await server.claim();
  view = new FleetView({ clock: systemClock });
  const handlers = hostCallHandlers({
    calls,
    view,
    line: {
      get enrolled() {
        return enrolled;
      },
      standing: { state: 'unreachable', address: '', reason: null, sinceMono: 0 },
      channel: null,
      onChange: () => ({ [Symbol.dispose]: () => {} }),
    },
    upstream: { describe: () => ({ state: 'unreachable', address: '', reason: 'cable', ageMs: 0, peers: [] }) },
    log: silentLogger(),
    names: () => ({ host: 'W-jarvis', user: 'jarvis' }),
    signal: stopping.signal,
  });
  server.serve(FleetServiceService, handlers);
  await server.listen();
  client = callerAt(path);
});

afterEach(() => {
  stopping.abort();
  client.close();
  server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const message = (over: Partial<SendTextRequest> = {}): SendTextRequest => ({
  id: 'order-1',
  target: { ...OWN, paneId: '%1', panePid: 7 },
  sender: { host: 'pretended', session: 'coder' },
  text: 'hello',
  verify: true,
  timeoutMs: 1_000,
  waitIdleMs: 0,
  noLabel: false,
  ...over,
});
const diagnose = (host: string) => unary((done) => client.diagnose({ host }, done));

test('an agent of this host is answered here, for this user, and a message is from this host', async () => {
  let seen: { request: SendTextRequest; context: CallContext } | undefined;
  calls.sendText = async (request, context) => {
    seen = { request, context };
    return { id: request.id, outcome: 'accepted' } as OrderOutcome;
  };
  expect(await unary((done) => client.sendText(message(), done))).toMatchObject({ outcome: 'accepted' });
  expect(seen?.request.sender).toEqual({ host: 'W-jarvis', session: 'coder' });
  for (const sender of [undefined, { host: 'pretended', session: '' }]) {
    await unary((done) => client.sendText(message({ sender }), done));
    expect(seen?.request.sender).toEqual({ host: 'W-jarvis', session: 'unproven' });
  }
  expect(seen?.context.origin).toEqual({
    actor: 'local:jarvis',
    name: 'jarvis@W-jarvis',
    kind: 'local',
    role: 'operator',
    federated: false,
  });
  expect(seen?.context.audience.watchers).toEqual(['jarvis@W-jarvis']);
});

test('this host is diagnosed by its name, with its user, and without any', async () => {
  for (const host of ['', 'W-jarvis', 'W-jarvis/jarvis']) {
    expect(await diagnose(host)).toMatchObject({ findings: [{ check: 'own' }] });
  }
});

test('an intent is the controller’s, of this host too: without one it is said plainly', async () => {
  const put = { id: 'i-1', hostAgent: OWN.hostAgent, expiresMs: 0, steps: [] };
  for (const failure of [
    await failureOf(unary((done) => client.putIntent(put, done))),
    await failureOf(unary((done) => client.getIntent({ hostAgent: OWN.hostAgent }, done))),
  ]) {
    expect([failure.code, failure.details]).toEqual([
      status.UNAVAILABLE,
      'an intent is kept by a controller: it can be given through the controller, and that is not reachable (cable)',
    ]);
  }
});

test('another host without a controller is unreachable, with the reason; a request that names none is no request', async () => {
  const other = { ...OWN, hostAgent: 'dragon-lin/u' };
  const failures = [
    await failureOf(diagnose('dragon-lin')),
    await failureOf(unary((done) => client.explainAgent(other, done))),
  ];
  for (const failure of failures) {
    expect(failure.code).toBe(status.UNAVAILABLE);
    expect(failure.details).toMatch(/^dragon-lin.*through the controller.*\(cable\)$/);
  }
  const watching = new Watching(client, other).read();
  await until(() => watching.isOver, SOON);
  expect(watching.failure?.code).toBe(status.UNAVAILABLE);
  expect((await failureOf(unary((done) => client.explainAgent({ ...OWN, hostAgent: '' }, done)))).code).toBe(
    status.INVALID_ARGUMENT,
  );
});

test('an order is looked for here first; elsewhere only where there is a controller to ask', async () => {
  calls.getOrder = async ({ id }) => {
    if (id !== 'mine') throw new FleetError('NOT_FOUND', 'no such order here');
    return { id, outcome: 'done' } as OrderOutcome;
  };
  const ask = (id: string) => unary((done) => client.getOrder({ id }, done));
  expect(await ask('mine')).toMatchObject({ outcome: 'done' });
  expect((await failureOf(ask('other'))).code).toBe(status.NOT_FOUND);
  enrolled = true;
  expect(await failureOf(ask('other'))).toMatchObject({
    code: status.UNAVAILABLE,
    details: expect.stringContaining('order other is not of this host'),
  });
});

test('a failure has the handler’s words, and one that nobody meant has none of the inside', async () => {
  calls.explainAgent = async () => {
    throw new FleetError('FAILED_PRECONDITION', 'no rules for bash');
  };
  const explain = () => failureOf(unary((done) => client.explainAgent(OWN, done)));
  expect(await explain()).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'no rules for bash' });
  calls.explainAgent = async () => {
    throw new TypeError('secret of the inside');
  };
  const failure = await explain();
  expect(failure.code).toBe(status.INTERNAL);
  expect(failure.details).not.toContain('secret');
});

test('a watcher who leaves, and a daemon that stops, end the watching', async () => {
  const screen = new SimulatedScreen();
  screen.draw('hello');
  calls.watchTerminal = screen.watch;
  const [leaving, staying] = [new Watching(client, OWN).read(), new Watching(client, OWN).read()];
  await until(() => leaving.shows === 'hello' && staying.shows === 'hello', SOON);
  leaving.call.cancel();
  await until(() => screen.standing.size === 1, SOON);
  stopping.abort();
  await until(() => screen.standing.size === 0 && staying.isOver, SOON);
  expect(staying.end).toBeNull();
});

test('so many screens are followed at once and no more; another is when one is left, and short calls go on', async () => {
  const screen = new SimulatedScreen();
  screen.draw('first');
  calls.watchTerminal = screen.watch;
  const all = Array.from({ length: MAX_LOCAL_STREAMS }, () => new Watching(client, OWN).read());
  await until(() => screen.standing.size === MAX_LOCAL_STREAMS, SOON);
  const refused = new Watching(client, OWN).read();
  await until(() => refused.failure, SOON);
  expect(refused.failure?.code).toBe(status.RESOURCE_EXHAUSTED);
  expect(await unary((done) => client.diagnose({ host: '' }, done))).toMatchObject({ findings: [{ check: 'own' }] });
  all.pop()?.call.cancel();
  await until(() => screen.standing.size === MAX_LOCAL_STREAMS - 1, SOON);
  const next = new Watching(client, OWN).read();
  await until(() => next.shows === 'first', SOON);
  for (const each of [...all, next]) each.call.cancel();
  await until(() => screen.standing.size === 0, SOON);
});
