import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listGrants } from '../../../src/cli/client/grant-methods.ts';
import { refusalReasonOf } from '../../../src/wire/errors.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { GrantedCell, message, NO_SUCH_AGENT, told } from '../../helpers/granted-cell.ts';
import { SOON } from '../../helpers/order-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const HOUR_MS = 3_600_000;

let ground: GrantedCell;
beforeEach(async () => {
  ground = await GrantedCell.start();
});
afterEach(() => ground?.end());

test('a grant that is revoked ends what lives by it with that word, and is good for nothing from then on', async () => {
  const { id } = await ground.partner.grant({ agents: ['coder*'], verbs: ['watch', 'send'] });
  const tail = await ground.tailing();
  const order = failureOf(ground.send());
  await until(() => ground.reached.length === 2, SOON);
  await ground.partner.revoke(id);
  for (const error of [await tail.ended, await order]) {
    expect(told(error)).toEqual([status.PERMISSION_DENIED, 'the grant for this was revoked']);
    expect(refusalReasonOf(error)).toBe('grant_revoked');
  }
  await until(() => ground.reached.every(({ context }) => context.signal.aborted), SOON);
  expect(told(await failureOf(ground.explain(await ground.partner.fleet())))).toEqual([
    status.NOT_FOUND,
    NO_SUCH_AGENT,
  ]);
  expect((await failureOf(ground.send({ id: 'again' }))).code).toBe(status.PERMISSION_DENIED);
  expect(ground.reached.length).toBe(2);
});

test('at the moment of its end a grant ends what lives by it, told as expired; what another grant allows goes on', async () => {
  await ground.partner.grant({ verbs: ['watch'], validMs: 10 * HOUR_MS, agents: ['coder*'] });
  await ground.partner.grant({ verbs: ['send'], validMs: HOUR_MS });
  const tail = await ground.tailing();
  const order = failureOf(ground.send());
  await until(() => ground.reached.length === 2, SOON);
  ground.aheadMs = HOUR_MS;
  const error = await order;
  expect([...told(error), refusalReasonOf(error)]).toEqual([
    status.PERMISSION_DENIED,
    'the grant for this has expired',
    'grant_expired',
  ]);
  const [tailed, sent] = ground.reached;
  await until(() => sent?.context.signal.aborted, SOON);
  expect([tailed?.call, tailed?.context.signal.aborted, sent?.call]).toEqual(['tailTerminal', false, 'sendText']);
  expect((await failureOf(ground.send({ id: 'again' }))).code).toBe(status.PERMISSION_DENIED);
  ground.aheadMs = 10 * HOUR_MS;
  expect(refusalReasonOf(await tail.ended)).toBe('grant_expired');
});

test('a grant that has expired is over for ever, though the clock is set back, and though the controller starts anew', async () => {
  const { id } = await ground.partner.grant({ verbs: ['watch'], validMs: HOUR_MS });
  const client = await ground.partner.fleet();
  await ground.explain(client);
  const statusOf = async () => {
    const request = { id, peer: '' };
    const ask = ground.cell.controller.admin((channel) => channel.unary(listGrants, request, { deadlineMs: 5_000 }));
    return (await ask).grants[0]?.status;
  };
  ground.aheadMs = HOUR_MS;
  const over = told(await failureOf(ground.explain(client)));
  ground.aheadMs = 0;
  // Before it can be on disk, and after.
  expect(told(await failureOf(ground.explain(client)))).toEqual(over);
  ground.aheadMs = HOUR_MS;
  expect(await statusOf()).toBe('expired');
  await until(async () => {
    ground.aheadMs = 0;
    const now = await statusOf();
    if (now !== 'expired') ground.aheadMs = HOUR_MS;
    return now === 'expired';
  }, SOON);
  expect(told(await failureOf(ground.explain(client)))).toEqual(over);
  await ground.cell.controller.stop();
  await ground.cell.controller.begin();
  expect(await statusOf()).toBe('expired');
});

test('a call that was let in the moment before the grant was revoked types nothing', async () => {
  const { id } = await ground.partner.grant({ verbs: ['send'] });
  const client = await ground.partner.fleet();
  await unary((done) => client.whoAmI({}, done));
  // Both are under way at once, over and over: whichever comes first, no order reaches the host after the revocation is told.
  for (let turn = 0; turn < 8; turn++) {
    const grant = turn === 0 ? id : (await ground.partner.grant({ verbs: ['send'] })).id;
    const orders = Array.from({ length: 4 }, (_, at) =>
      failureOf(unary((done) => client.sendText(message({ id: `o-${turn}-${at}` }), ground.partner.behalf(), done))),
    );
    await ground.partner.revoke(grant);
    const before = ground.reached.length;
    const errors = await Promise.all(orders);
    expect(ground.reached.length).toBe(before);
    for (const error of errors) expect([status.PERMISSION_DENIED, status.NOT_FOUND]).toContain(error.code);
  }
  await until(() => ground.reached.every(({ context }) => context.signal.aborted), SOON);
});

test('an agent that is renamed out of a grant ends its watching, as if there were no such agent', async () => {
  await ground.partner.grant({ agents: ['coder*'], verbs: ['watch'] });
  const tail = await ground.tailing();
  ground.dragon.put(agentRow({ key: 'a', agent: 'private' }));
  expect(told(await tail.ended)).toEqual([status.NOT_FOUND, NO_SUCH_AGENT]);
});

test('a peer that is removed is cut at once, is told that it was, and comes back to nothing of what it had', async () => {
  const { id } = await ground.partner.grant({ verbs: ['watch', 'send'] });
  const tail = await ground.tailing();
  await ground.partner.removed();
  const cut = await tail.ended;
  expect([cut.code, refusalReasonOf(cut)]).toEqual([status.UNAUTHENTICATED, 'revoked']);
  const refused = await failureOf(ground.explain(await ground.partner.fleet()));
  expect([refused.code, refusalReasonOf(refused)]).toEqual([status.UNAUTHENTICATED, 'revoked']);
  await ground.partner.join(await ground.partner.invitation());
  expect(told(await failureOf(ground.explain(await ground.partner.fleet())))).toEqual([
    status.NOT_FOUND,
    NO_SUCH_AGENT,
  ]);
  const { grants } = await ground.cell.controller.admin((channel) =>
    channel.unary(listGrants, { id, peer: '' }, { deadlineMs: 5_000 }),
  );
  expect(grants[0]?.status).toBe('revoked');
});
