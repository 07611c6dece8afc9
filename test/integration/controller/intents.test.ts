import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Behind } from '../../../src/domain/intent.ts';
import { rosterDigest } from '../../../src/roster/digest.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { IntentState, IntentStep, PutIntentRequest } from '../../../src/wire/gen/fleet/v1/intent.ts';
import { controlAgent, putRoster, RosterHost } from '../../helpers/roster-host.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const DRAGON = 'dragon-lin/u';
const TEXT = 'version: 2\nagents: [{ name: coder, runtime: pi }] # my secret plan\n';

let cell: SimulatedCell;
let there: RosterHost;
beforeEach(async () => {
  cell = await SimulatedCell.start();
  there = new RosterHost();
});
afterEach(() => cell?.end());

const STEPS: IntentStep[] = [
  { controlAgent: controlAgent(DRAGON, 'remove', 'old') },
  { putRoster: putRoster(DRAGON, TEXT) },
  { controlAgent: controlAgent(DRAGON, 'deploy', 'coder', { rosterDigest: rosterDigest(TEXT) }) },
];

const intent = (over: Partial<PutIntentRequest> = {}): PutIntentRequest => ({
  id: 'intent-1',
  hostAgent: DRAGON,
  expiresMs: 0,
  steps: STEPS,
  ...over,
});

const give = (client: FleetServiceClient, over: Partial<PutIntentRequest> = {}): Promise<IntentState> =>
  unary((done) => client.putIntent(intent(over), done));
const look = (client = cell.admin()): Promise<IntentState> =>
  unary((done) => client.getIntent({ hostAgent: DRAGON }, done));
const over = async (): Promise<IntentState> =>
  await until(async () => {
    const state = await look();
    return ['waiting', 'running'].includes(state.state) ? null : state;
  }, SOON);
const behind = async (): Promise<Behind | null | undefined> =>
  (await cell.controller.view()).momentOf(DRAGON, 0)?.host.behind;

test('what a host that is away shall be told waits, is shown, and is given in order when it is back', async () => {
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  const given = await give(cell.admin());
  expect(given).toMatchObject({ state: 'waiting', displaced: '', hostAgent: DRAGON, endedMs: 0 });
  expect(given.expiresMs - given.givenMs).toBe(24 * 3_600_000);
  expect(given.steps.map(({ verb, address, outcome }) => `${verb} ${address} ${outcome}`)).toEqual([
    'remove home/dragon-lin/u/old ',
    'roster home/dragon-lin/u ',
    'deploy home/dragon-lin/u/coder ',
  ]);
  expect(await behind()).toMatchObject({ state: 'waiting', reason: '' });
  dragon.start();
  const { state, reason, steps } = await over();
  expect([state, reason]).toEqual(['done', '']);
  expect(steps.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done']);
  expect(there.begun).toEqual(['remove roster:old', 'roster', 'deploy roster:coder']);
  expect(there.text).toBe(TEXT);
  expect(await behind()).toBeNull();
});
