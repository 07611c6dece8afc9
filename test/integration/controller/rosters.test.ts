import { join } from 'node:path';
import { Writable } from 'node:stream';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AuditLog } from '../../../controller/audit/audit-log.ts';
import { SqliteStore } from '../../../controller/store/sqlite-store.ts';
import { rosterDigest } from '../../../src/roster/digest.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createLogger, silentLogger } from '../../../src/runtime/logger.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { IntentState } from '../../../src/wire/gen/fleet/v1/intent.ts';
import type { ControlAgentRequest, OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import type { GetRosterResponse, PutRosterRequest } from '../../../src/wire/gen/fleet/v1/roster.ts';
import { controlAgent, putRoster, RosterHost } from '../../helpers/roster-host.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const DRAGON = 'dragon-lin/u';
const TEXT = 'version: 2\nagents: [{ name: coder, runtime: pi }] # my secret plan\n';
const PATH = '/home/u/.config/mosaic/fleet/roster.yaml';

const logged: string[] = [];
let cell: SimulatedCell;
let there: RosterHost;
beforeEach(async () => {
  logged.length = 0;
  const destination = new Writable({ write: (chunk, _encoding, done) => done(void logged.push(String(chunk))) });
  cell = await SimulatedCell.start({ log: createLogger({ name: 'test', level: 'trace', destination }) });
  there = new RosterHost();
});
afterEach(() => cell?.end());

const get = (client = cell.admin()): Promise<GetRosterResponse> =>
  unary((done) => client.getRoster({ hostAgent: DRAGON }, done));
const put = (client: FleetServiceClient, text = TEXT, over: Partial<PutRosterRequest> = {}): Promise<OrderOutcome> =>
  unary((done) => client.putRoster(putRoster(DRAGON, text, over), done));
const control = (client: FleetServiceClient, request: ControlAgentRequest): Promise<OrderOutcome> =>
  unary((done) => client.controlAgent(request, done));
const isAway = async (): Promise<boolean> => !(await cell.controller.link(DRAGON))?.startsWith('connected');

test('a host that is there tells its own roster; one that is away is planned for by the last that it took', async () => {
  const dragon = await cell.host('dragon-lin', { calls: there.calls });
  expect(await get()).toMatchObject({ text: '', digest: '', stored: false, asOfMs: 0 });
  const before = Date.now();
  expect(await put(cell.admin())).toMatchObject({ outcome: 'done', address: 'home/dragon-lin/u', verb: 'roster' });
  there.text = 'version: 1 # by hand\n';
  expect(await get()).toMatchObject({ text: there.text, stored: false, env: [{ agent: 'coder' }] });
  await dragon.stop();
  await until(isAway, SOON);
  const copy = await get();
  expect(copy).toEqual({
    path: PATH,
    text: TEXT,
    digest: rosterDigest(TEXT),
    problem: '',
    env: [],
    undeployed: [],
    orphans: [],
    operatorUnits: [],
    leftOver: [],
    asOfMs: expect.any(Number),
    stored: true,
  });
  expect(copy.asOfMs).toBeGreaterThanOrEqual(before);
  await cell.controller.stop();
  await cell.controller.begin();
  expect(await get()).toEqual(copy);
});

test('of a host that is away and took none through here it is said that nothing is stored', async () => {
  await cell.away('dragon-lin', { calls: there.calls });
  const failure = await failureOf(get());
  expect(failure.code).toBe(status.NOT_FOUND);
  expect(failure.details).toMatch(
    /^dragon-lin\/u is away \(unconfirmed .*never heard\), and no roster of it is stored/,
  );
});

test('a line that breaks under the question is answered from the copy', async () => {
  const proxy = await cell.proxy();
  const asked = Promise.withResolvers<void>();
  there.calls.getRoster = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  await cell.host('dragon-lin', { calls: there.calls, dials: [`127.0.0.1:${proxy.port}`] });
  await put(cell.admin());
  const answer = get();
  await asked.promise;
  proxy.cut();
  expect(await answer).toMatchObject({ text: TEXT, stored: true });
});

test('an order that is only repeated does not bring an older roster back', async () => {
  const dragon = await cell.host('dragon-lin', { calls: there.calls });
  await put(cell.admin());
  const newer = 'version: 2\n';
  await put(cell.admin(), newer, { id: 'roster-2', expectedDigest: rosterDigest(TEXT) });
  expect(await put(cell.admin())).toMatchObject({ outcome: 'done', repeated: true });
  await dragon.stop();
  await until(isAway, SOON);
  expect(await get()).toMatchObject({ text: newer, stored: true });
});

test('what a host refused is not kept', async () => {
  const dragon = await cell.host('dragon-lin', { calls: there.calls });
  expect(await put(cell.admin(), TEXT, { expectedDigest: 'another' })).toMatchObject({ outcome: 'refused' });
  await dragon.stop();
  await until(isAway, SOON);
  expect((await failureOf(get())).code).toBe(status.NOT_FOUND);
});

test.each([
  ['is removed', async () => cell.removeHost('dragon-lin'), {}],
  ['gives its name to another machine', async () => {}, { machineId: 'new', replace: true }],
  ['goes to another tenant', async () => cell.removeHost('dragon-lin'), { tenantId: 'theirs' }],
])('the copy goes with a host that %s', async (_, leave, wish) => {
  const dragon = await cell.host('dragon-lin', { calls: there.calls });
  await put(cell.admin());
  await dragon.stop();
  await leave();
  await cell.away('dragon-lin', { folder: cell.elsewhere, ...wish });
  expect((await failureOf(get())).code).toBe(status.NOT_FOUND);
  await cell.controller.stop();
  const store = new SqliteStore(join(cell.controller.config.paths.state, 'controller/controller.db'));
  store.start();
  expect(await store.list('applied-roster', { limit: 10 })).toEqual([]);
  store.stop();
  await cell.controller.begin();
});

test('another tenant’s roster is neither read nor written, stored or not', async () => {
  const dragon = await cell.host('dragon-lin', { tenantId: 'ours', calls: there.calls });
  const theirs = cell.as(await cell.host('theirs', { tenantId: 'theirs' }));
  await cell.allow('theirs', ['deploy']);
  await put(cell.admin());
  const refused = async () =>
    (await Promise.all([failureOf(get(theirs)), failureOf(put(theirs, 'x', { id: 'mine' }))])).map(
      ({ code, details }) => `${code} ${details}`,
    );
  const none = `${status.NOT_FOUND} no such host: see "fleet hosts"`;
  expect(await refused()).toEqual([none, none]);
  await dragon.stop();
  await until(isAway, SOON);
  expect(await refused()).toEqual([none, none]);
});

test('callers of a host deploy on their own host and user, and elsewhere only within their ceiling', async () => {
  const dragon = await cell.host('dragon-lin', { calls: there.calls });
  const jarvis = cell.as(await cell.host('W-jarvis'));
  const intend = (client: FleetServiceClient, id: string): Promise<IntentState> =>
    unary((done) =>
      client.putIntent(
        {
          id,
          hostAgent: DRAGON,
          expiresMs: 0,
          steps: [{ putRoster: putRoster(DRAGON, TEXT, { id: `${id}-1`, force: true }) }],
        },
        done,
      ),
    );
  const changes = (client: FleetServiceClient, id: string): (() => Promise<unknown>)[] => [
    () => put(client, TEXT, { id, expectedDigest: rosterDigest(there.text) }),
    () => control(client, controlAgent(DRAGON, 'deploy', 'coder', { id: `${id}-deploy` })),
    () => control(client, controlAgent(DRAGON, 'remove', 'coder', { id: `${id}-remove` })),
    () => intend(client, `${id}-intent`),
  ];
  await cell.allow('W-jarvis', ['send', 'lifecycle']);
  for (const change of changes(jarvis, 'theirs')) {
    const { code, details } = await failureOf(change());
    expect(code).toBe(status.PERMISSION_DENIED);
    expect(details).toContain('"fleet host allow W-jarvis send lifecycle deploy"');
  }
  expect(there.begun).toEqual([]);
  const withdrawal = { id: '', hostAgent: DRAGON, expiresMs: 0, steps: [] };
  const withdrawn = await failureOf(unary((done) => jarvis.putIntent(withdrawal, done)));
  expect(withdrawn.code).toBe(status.PERMISSION_DENIED);
  for (const change of changes(cell.as(dragon), 'own')) await change();
  await cell.allow('W-jarvis', ['deploy']);
  for (const change of changes(jarvis, 'allowed')) await change();
  // What deploys may not, by that alone, start and stop, now or later.
  const start = controlAgent(DRAGON, 'start', 'coder');
  const later = { id: 'late', hostAgent: DRAGON, expiresMs: 0, steps: [{ controlAgent: start }] };
  const refused = await failureOf(unary((done) => jarvis.putIntent(later, done)));
  expect(refused.details).toContain('"fleet host allow W-jarvis lifecycle deploy"');
});

test('an agent that no row names yet is deployed by its name: its roster was put a moment ago', async () => {
  const dragon = await cell.host('dragon-lin', { calls: there.calls });
  const outcome = await control(cell.as(dragon), controlAgent(DRAGON, 'deploy', 'new-one', { id: 'new' }));
  expect(outcome).toMatchObject({ outcome: 'done', verb: 'deploy', address: 'home/dragon-lin/u/new-one' });
  const started = await failureOf(control(cell.as(dragon), controlAgent(DRAGON, 'start', 'new-one', { id: 'newer' })));
  expect(started.code).toBe(status.NOT_FOUND);
});

test('the audit names who gave what, by sizes and digests; no text of a roster is in it, nor in the log', async () => {
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  const jarvis = cell.as(await cell.host('W-jarvis'));
  await cell.allow('W-jarvis', ['deploy']);
  const steps = [
    { putRoster: putRoster(DRAGON, TEXT) },
    { controlAgent: controlAgent(DRAGON, 'deploy', 'coder') },
    { putRoster: putRoster(DRAGON, TEXT, { id: 'roster-2', expectedDigest: 'another' }) },
  ];
  await unary((done) => jarvis.putIntent({ id: 'i-1', hostAgent: DRAGON, expiresMs: 0, steps }, done));
  dragon.start();
  const state = () => unary<IntentState>((done) => jarvis.getIntent({ hostAgent: DRAGON }, done));
  await until(async () => (await state()).state === 'stopped', SOON);
  await put(jarvis, `${TEXT}\n`, { id: 'by-hand', expectedDigest: rosterDigest(TEXT) });
  await unary((done) => jarvis.putIntent({ id: '', hostAgent: DRAGON, expiresMs: 0, steps: [] }, done));
  await cell.controller.stop();
  const store = new SqliteStore(join(cell.controller.config.paths.state, 'controller/controller.db'));
  store.start();
  const audit = new AuditLog(store, systemClock, silentLogger());
  const records = (await audit.list({ limit: 1_000 })).reverse();
  store.stop();
  await cell.controller.begin();
  const digest = rosterDigest(TEXT);
  const changes = records.filter(({ verb }) => /PutIntent|PutRoster|ControlAgent/.test(verb));
  expect(new Set(changes.map(({ actor }) => actor))).toEqual(new Set(['spiffe://home/host/W-jarvis/user/u']));
  expect(changes.map(({ hostAgent, tenantId }) => `${hostAgent} ${tenantId}`)).toEqual(
    changes.map(() => 'dragon-lin/u default'),
  );
  const ofAgent = changes.filter(({ verb }) => verb.endsWith('ControlAgent'));
  expect(ofAgent.map(({ agent, actorTenantId }) => [agent, actorTenantId])).toEqual([
    ['coder', 'default'],
    ['coder', 'default'],
  ]);
  const told = changes.map(({ verb, target, outcome, reason }) =>
    [verb.split('/').at(-1), target, outcome, reason].join(' | '),
  );
  const bytes = Buffer.byteLength(TEXT);
  const given = `dragon-lin/u intent i-1: 3 steps, roster of ${bytes} bytes ${digest}, roster of ${bytes} bytes ${digest}`;
  const byHand = `dragon-lin/u roster of ${bytes + 1} bytes ${rosterDigest(`${TEXT}\n`)}`;
  expect(told.toSorted()).toEqual(
    [
      `PutIntent | ${given} | allowed | `,
      `PutIntent | ${given} | done | `,
      'PutRoster | dragon-lin/u | allowed | intent i-1, step 1',
      'PutRoster | dragon-lin/u | done | intent i-1, step 1: done',
      'ControlAgent | home/dragon-lin/u/coder | allowed | intent i-1, step 2',
      'ControlAgent | home/dragon-lin/u/coder | done | intent i-1, step 2: done',
      'PutRoster | dragon-lin/u | allowed | intent i-1, step 3',
      'PutRoster | dragon-lin/u | done | intent i-1, step 3: refused',
      'PutIntent | dragon-lin/u intent i-1 | failed | stopped: step 3, the roster, ended refused',
      `PutRoster | ${byHand} | allowed | `,
      `PutRoster | ${byHand} | done | done`,
      'PutIntent | dragon-lin/u intent : withdrawn | allowed | ',
      'PutIntent | dragon-lin/u intent : withdrawn | done | ',
    ].toSorted(),
  );
  expect(JSON.stringify(records)).not.toContain('secret plan');
  expect(logged.length).toBeGreaterThan(0);
  expect(logged.join()).not.toContain('secret plan');
});
