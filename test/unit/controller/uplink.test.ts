import { expect, test } from 'vitest';
import { SERVER_LIMITS } from '../../../controller/grpc/server-limits.ts';
import { Registry } from '../../../controller/registry/registry.ts';
import { ReportIntake } from '../../../controller/uplink/report-intake.ts';
import type { UplinkStream } from '../../../controller/uplink/session.ts';
import { MISSED_BEAT_MS, Uplink } from '../../../controller/uplink/uplink.ts';
import type { FleetError } from '../../../src/domain/errors.ts';
import { makeAuthority } from '../../../src/identity/authority.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FleetView } from '../../../src/view/fleet-view.ts';
import { ViewEvents } from '../../../src/view/view-events.ts';
import { encodeAgentRow } from '../../../src/wire/agent-row.ts';
import type { ConnectRequest, ConnectResponse } from '../../../src/wire/gen/fleet/v1/host_agent.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { until } from '../../helpers/until.ts';

class Line implements UplinkStream {
  readonly sent: ConnectResponse[] = [];
  failure: FleetError | null = null;
  ended = false;
  #message: (message: ConnectRequest) => void = () => {};
  #end = () => {};
  onMessage(listener: (message: ConnectRequest) => void): void {
    this.#message = listener;
  }
  onEnd(listener: () => void): void {
    this.#end = listener;
  }
  write(message: ConnectResponse): boolean {
    this.sent.push(message);
    return true;
  }
  end(): void {
    this.ended = true;
  }
  fail(error: FleetError): void {
    this.failure = error;
  }
  says(message: ConnectRequest): void {
    this.#message(message);
  }
  breaks(): void {
    this.#end();
  }
  hello(inventoryId: string): void {
    this.says({
      hello: { version: '1', capabilities: [], inventoryId, machineId: 'm', facts: undefined, authorities: [] },
    });
  }
  rows(keys: string[], revision: bigint, snapshotBegin: boolean): void {
    const rows = keys.map((key) => ({ key, row: encodeAgentRow(agentRow({ key })) }));
    this.says({ report: { snapshotBegin, rows, removed: [], revision, complete: true } });
  }
}

const who = { host: 'dragon-lin', user: 'jwoltje', tenantId: 'default' };
const id = 'dragon-lin/jwoltje';

const house = () => {
  const clock = new MovedClock();
  const view = new FleetView({ clock });
  const registry = new Registry({ cell: 'home', view, clock, log: silentLogger() });
  registry.begin([]);
  let epoch = 0n;
  const trust = { pem: '', heard: [] as string[][] };
  const uplink = new Uplink({
    cell: 'home',
    version: '1',
    registry,
    intake: new ReportIntake(view),
    clock,
    log: silentLogger(),
    nextEpoch: () => ++epoch,
    addresses: () => [],
    trustBundlePem: () => trust.pem,
    trusts: (_id, authorities) => trust.heard.push([...authorities]),
  });
  const dial = (inventoryId: string, host = who.host): Line => {
    const line = new Line();
    uplink.connect({ ...who, host }, line);
    line.hello(inventoryId);
    return line;
  };
  const link = () => `${view.hostAgent(id)?.linkState} ${view.hostAgent(id)?.linkReason}`;
  return { clock, view, registry, uplink, dial, link, trust };
};

test('a host that says hello is welcomed with its name and is connected', () => {
  const { dial, link } = house();
  const line = dial('run1');
  expect(line.sent[0]?.welcome).toMatchObject({ epoch: 1n, host: 'dragon-lin', user: 'jwoltje', resumeRevision: 0n });
  expect(link()).toBe('connected null');
});

test('a snapshot replaces what was held, in one step', () => {
  const { dial, view } = house();
  dial('run1').rows(['a', 'b'], 2n, true);
  dial('run2').rows(['b', 'c'], 2n, true);
  expect([...view.rowsOf(id).keys()]).toEqual(['b', 'c']);
});

test('the same run of a host-agent resumes after its last revision', () => {
  const { dial } = house();
  dial('run1').rows(['a'], 7n, true);
  expect(dial('run1').sent[0]?.welcome).toMatchObject({ resumeInventoryId: 'run1', resumeRevision: 7n });
});

test('the newest stream wins, and late frames and the end of the older change nothing', () => {
  const { dial, view, link } = house();
  const older = dial('run1');
  older.rows(['a'], 1n, true);
  dial('run2').rows(['b'], 1n, true);
  expect(older.sent.at(-1)?.dismissed?.reason).toBe('superseded');
  older.rows(['late'], 2n, true);
  older.breaks();
  expect([...view.rowsOf(id).keys()]).toEqual(['b']);
  expect(link()).toBe('connected null');
});

test('two host-agents with one identity are named, and the one at hand stays', () => {
  const { dial, link } = house();
  dial('run1');
  dial('run2');
  const third = dial('run3');
  expect(third.ended).toBe(false);
  const fourth = dial('run4');
  expect(fourth.failure?.code).toBe('ALREADY_EXISTS');
  expect(third.sent.some((message) => message.dismissed)).toBe(false);
  expect(link()).toBe('connected duplicate_identity');
});

test('a host that is enrolled long after the start is no lost host that comes back: its first word is no event', () => {
  const { clock, view, registry, dial, link } = house();
  const events = new ViewEvents({ view, clock });
  const told = () => events.take().events.map(({ kind, reason }) => `${kind} ${reason}`);
  registry.enrolled(who);
  expect(link()).toBe('unconfirmed controller_started');
  registry.removed(id);
  for (let ms = 0; ms < 60_000; ms += 500) {
    clock.advance(500);
    registry.tick();
  }
  registry.enrolled(who);
  expect([link(), told()]).toEqual(['unconfirmed silent', []]);
  dial('run1');
  expect([link(), told()]).toEqual(['connected null', []]);
});

test('a goodbye is a clean stop, a silent end is silence, a sudden end is a closed stream', () => {
  const { dial, link, clock } = house();
  const polite = dial('run1');
  polite.says({ goodbye: { reason: 'stopped' } });
  polite.breaks();
  expect(link()).toBe('lost stopped');
  dial('run1').breaks();
  expect(link()).toBe('resuming stream_closed');
  const silent = dial('run1');
  clock.advance(4_000);
  silent.breaks();
  expect(link()).toBe('resuming silent');
});

test('rows stay when the line is lost, and the ages stand still', () => {
  const { dial, view, registry, clock, link } = house();
  dial('run1').rows(['a'], 1n, true);
  for (let i = 0; i < 40; i++) {
    clock.advance(500);
    registry.tick();
  }
  expect(link()).toBe('lost silent');
  expect(view.rowsOf(id).size).toBe(1);
});

test('a pause of the controller is not held against its hosts', () => {
  const { dial, registry, clock, link } = house();
  dial('run1');
  registry.tick();
  clock.advance(60_000);
  registry.tick();
  expect(link()).toBe('unconfirmed controller_paused');
});

test('a controller whose machine slept does not call anybody connected before they have spoken again', () => {
  const { dial, registry, clock, link } = house();
  dial('run1');
  clock.advance(500);
  registry.tick();
  expect(link()).toBe('connected null');
  clock.suspend(3_600_000);
  clock.advance(500);
  registry.tick();
  expect(link()).toBe('unconfirmed controller_paused');
});

test('garbage instead of a row, rows before a snapshot and a row under a foreign key end the stream', () => {
  const { dial, view } = house();
  const garbage = dial('run1');
  garbage.says({
    report: {
      snapshotBegin: true,
      rows: [{ key: 'k', row: Buffer.from([255, 255]) }],
      removed: [],
      revision: 1n,
      complete: true,
    },
  });
  expect(garbage.failure?.code).toBe('INVALID_ARGUMENT');
  const early = dial('run2');
  early.rows(['a'], 1n, false);
  expect(early.failure?.code).toBe('FAILED_PRECONDITION');
  const forged = dial('run2');
  const row = encodeAgentRow(agentRow({ key: 'mine' }));
  forged.says({
    report: { snapshotBegin: true, rows: [{ key: 'other', row }], removed: [], revision: 1n, complete: true },
  });
  expect(forged.failure?.code).toBe('INVALID_ARGUMENT');
  expect(view.rowsOf(id).size).toBe(0);
});

test('many hosts that fall silent together point at the controller itself, for those who see many', () => {
  const { registry, clock } = house();
  const ids = ['a', 'b', 'c', 'd', 'e'].map((host) => registry.enrolled({ host, user: 'u', tenantId: 'default' }));
  for (const each of ids) registry.opened(each, 1n, null);
  registry.tick();
  expect(registry.suspicion(() => true)).toBeNull();
  for (let i = 0; i < 12; i++) {
    clock.advance(500);
    registry.tick();
  }
  expect(registry.suspicion(() => true)).toMatch(/^many host-agents fell silent together/);
  expect(registry.suspicion(() => true)).not.toMatch(/\d/);
  expect(registry.suspicion(({ host }) => host === 'a')).toBeNull();
});

test('a line that keepalive gives up has missed a beat by then, a far host’s round trip taken off', () => {
  expect(SERVER_LIMITS.keepaliveTimeoutMs - MISSED_BEAT_MS).toBeGreaterThanOrEqual(500);
});

test('a host is told whom to trust until it says so, and what it says is heard when it changes', () => {
  const { uplink, dial, trust } = house();
  const [old, next] = [makeAuthority('home', 0).authority, makeAuthority('home', 0).authority];
  trust.pem = old.pem;
  const line = dial('run1');
  const told = () => line.sent.flatMap(({ trustChanged }) => trustChanged?.trustBundlePem ?? []);
  const beats = (...authorities: string[]) => line.says({ beat: { sequence: 1n, facts: undefined, authorities } });
  beats(old.fingerprint);
  expect(told()).toEqual([]);
  trust.pem = old.pem + next.pem;
  uplink.trustChanged();
  beats(old.fingerprint);
  expect(told()).toEqual([trust.pem, trust.pem]);
  beats(old.fingerprint, next.fingerprint);
  beats(old.fingerprint, next.fingerprint);
  expect(told()).toHaveLength(2);
  expect(trust.heard).toEqual([[old.fingerprint], [old.fingerprint, next.fingerprint]]);
});

test('a beat to many hosts reaches each once, and holds the loop for few of them at a time', async () => {
  const { uplink, dial } = house();
  const lines = Array.from({ length: 400 }, (_, each) => dial('run1', `host-${each}`));
  let inTurn = 0;
  let mostInTurn = 0;
  for (const line of lines) {
    const write = line.write.bind(line);
    line.write = (message) => {
      if (inTurn === 0) setImmediate(() => (inTurn = 0));
      inTurn += 1;
      mostInTurn = Math.max(mostInTurn, inTurn);
      return write(message);
    };
  }
  const beatsOf = ({ sent }: Line) => sent.flatMap(({ beat }) => beat?.sequence ?? []);
  const stopping = new AbortController();
  const beating = uplink.beat(stopping.signal);
  await until(() => lines.every((line) => beatsOf(line).length > 0), { timeoutMs: 10_000 });
  expect(mostInTurn).toBeLessThanOrEqual(100);
  expect(new Set(lines.map((line) => beatsOf(line).join()))).toEqual(new Set(['1']));
  stopping.abort();
  await beating;
});
