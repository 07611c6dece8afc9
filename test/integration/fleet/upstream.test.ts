import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ControllerLine, Upstream } from '../../../host-agent/local/upstream.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { Listeners } from '../../../src/runtime/listeners.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FleetView } from '../../../src/view/fleet-view.ts';
import { FleetServiceClient, FleetServiceService } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import { hostAgentToWire } from '../../../src/wire/host-agent.ts';
import { hostAgent } from '../../helpers/host-agent.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 20_000 };
/** A row of nobody. */
const UNREADABLE = {
  changes: {
    hostAgents: [],
    agents: [{ hostAgent: 'home/x/y', key: 'k', row: Buffer.alloc(1) }],
    removedAgents: [],
    removedHostAgents: [],
  },
};

let told: unknown[];
let server: Server;
let client: FleetServiceClient;
let asked: number[];
let stop: AbortController;

beforeEach(async () => {
  asked = [];
  told = [UNREADABLE];
  stop = new AbortController();
  server = new Server();
  server.addService(FleetServiceService, {
    watchAgents: (call: { write(frame: unknown): void }) => {
      asked.push(performance.now());
      for (const frame of told) call.write(frame);
    },
  } as never);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  client = new FleetServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
});

afterEach(() => {
  stop.abort();
  client.close();
  server.forceShutdown();
});

const lineTo = (channel: ControllerLine['channel'], changed: Listeners): ControllerLine => ({
  enrolled: true,
  standing: { state: 'connected', address: '127.0.0.1', reason: null, sinceMono: systemClock.monotonicMs() },
  channel,
  onChange: (listener) => changed.add(listener),
});

test('frames that come all at once are taken in with a turn of the loop between two', async () => {
  const names = Array.from({ length: 30 }, (_, n) => `host-${n}/u`);
  told = [
    { opened: { cell: 'home', resumed: false } },
    ...names.map((id) => ({
      changes: { ...UNREADABLE.changes, hostAgents: [hostAgentToWire(hostAgent({ id }))], agents: [] },
    })),
    { bookmark: { resumeToken: 't' } },
  ];
  const view = new FleetView({ clock: systemClock });
  const upstream = new Upstream({
    view,
    clock: systemClock,
    log: silentLogger(),
    line: lineTo(client.getChannel(), new Listeners()),
  });
  let turn = 0;
  const turns: number[] = [];
  using _changes = view.log.onChange(() => turns.push(turn));
  const count = (): void => {
    turn += 1;
    if (!stop.signal.aborted) setImmediate(count);
  };
  count();
  const running = upstream.run(stop.signal);
  using _reader = await upstream.open(SOON.timeoutMs, stop.signal);
  expect(turns).toHaveLength(names.length);
  expect(new Set(turns).size).toBe(names.length);
  stop.abort();
  await running;
});

test('what cannot be applied is told, and asked for again ever more slowly, but at once when the line changes', async () => {
  const changed = new Listeners();
  const line = lineTo(client.getChannel(), changed);
  const upstream = new Upstream({
    view: new FleetView({ clock: systemClock }),
    clock: systemClock,
    log: silentLogger(),
    line,
    backoff: { firstMs: 3_600_000, capMs: 3_600_000, random: () => 1 },
  });
  const running = upstream.run(stop.signal);
  using _reader = await upstream.open(10, stop.signal);
  const words = () => upstream.describe().reason ?? '';
  await until(() => words().includes('came before its host-agent'), SOON);
  // Long enough for any wait but the backoff, which is an hour here.
  await until(() => performance.now() - asked[0]! > 1_500, SOON);
  expect(asked).toHaveLength(1);
  changed.emit();
  await until(() => asked.length === 2, SOON);
  expect(words()).toContain('came before its host-agent');
  stop.abort();
  await running;
});
