import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { IntentStep, PutIntentRequest } from '../../../src/wire/gen/fleet/v1/intent.ts';
import type { WatchAgentsResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { controlAgent, putRoster } from '../../helpers/roster-host.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { DRAGON, IntentGround } from './intent-ground.ts';

let ground: IntentGround;
beforeEach(async () => {
  ground = await IntentGround.start();
});
afterEach(() => ground?.end());

const control = (action: string, target = DRAGON): IntentStep => ({ controlAgent: controlAgent(target, action, 'x') });
test.each<[string, Partial<PutIntentRequest>, RegExp]>([
  ['lasts longer than a week', { expiresMs: 8 * 24 * 3_600_000 }, /at most 7 days/],
  ['lasts no number', { expiresMs: Number.NaN }, /at most 7 days/],
  ['has too many steps', { steps: Array(1_001).fill(control('deploy')) }, /1001 steps; at most 1000/],
  ['is too large', { steps: [{ putRoster: putRoster(DRAGON, 'x'.repeat(512 * 1024)) }] }, /at most 524288/],
  ['has a step for another host', { steps: [control('deploy', 'W-jarvis/u')] }, /step 1 is not for dragon-lin\/u/],
  ['types into an agent', { steps: [control('reset')] }, /step 1 is "reset"/],
  ['names two orders alike', { steps: [control('deploy'), control('deploy')] }, /two steps of the intent have one id/],
  ['has a step that says nothing', { steps: [{}] }, /step 1 is no order/],
  ['has no id', { id: '' }, /id is 1 to 128/],
])('an intent that %s is refused, and nothing waits', async (_, wish, words) => {
  await ground.away();
  const failure = await failureOf(ground.give(wish));
  expect([failure.code, failure.details]).toEqual([status.INVALID_ARGUMENT, expect.stringMatching(words)]);
  expect((await failureOf(ground.look())).details).toBe('no such intent is kept for dragon-lin/u');
});

test('another tenant’s intent cannot be seen, taken back, or told from none', async () => {
  const theirs = ground.cell.as(await ground.cell.host('theirs', { tenantId: 'theirs' }));
  await ground.cell.allow('theirs', ['deploy']);
  await ground.away({ tenantId: 'ours' });
  await ground.give();
  const nowhere = unary((done) => theirs.getIntent({ hostAgent: 'nowhere/u' }, done));
  const failures = await Promise.all([
    failureOf(nowhere),
    failureOf(ground.look(theirs)),
    failureOf(ground.give({ steps: [] }, theirs)),
    failureOf(ground.give({}, theirs)),
  ]);
  expect(new Set(failures.map(({ code, details }) => `${code} ${details}`))).toEqual(
    new Set([`${status.NOT_FOUND} no such host: see "fleet hosts"`]),
  );
  expect(await ground.look()).toMatchObject({ state: 'waiting' });
  const shown: string[] = [];
  const request = { follow: false, resumeToken: '', localOnly: false, hostsOnly: true };
  const view = theirs.watchAgents(request);
  view.on('data', ({ changes }: WatchAgentsResponse) => {
    shown.push(...(changes?.hostAgents ?? []).map(({ id, behind }) => `${id} ${behind?.state}`));
  });
  await once(view, 'end');
  expect(new Set(shown)).toEqual(new Set(['theirs/u undefined']));
});
