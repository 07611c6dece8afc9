import { type Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OnBehalfOf } from '../../../src/wire/gen/fleet/v1/host_agent.ts';
import type { OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import type { ExplainAgentResponse } from '../../../src/wire/gen/fleet/v1/terminal.ts';
import { ForeignCell } from '../../helpers/foreign-cell.ts';
import { GrantedView } from '../../helpers/granted-view.ts';
import { PeerCells } from '../../helpers/peer-cells.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const VERBS = ['observe', 'watch', 'send', 'lifecycle', 'takeover'];

/** `partner` grants everything to `home`, and `home` everything to `third`: nothing of partner's is third's. */
let cells: PeerCells;
let third: ForeignCell;
let reached: string[];
beforeEach(async () => {
  reached = [];
  const outcome = { address: '', verb: 'send', outcome: 'accepted', reason: '', actor: '', repeated: false };
  const calls = (of: string) => ({
    sendText: async ({ id }: { id: string }) => {
      reached.push(of);
      return { ...outcome, id, beganMs: 1, endedMs: 2 };
    },
    explainAgent: async () => {
      reached.push(of);
      return { readiness: 'working', reason: '', reasonCode: '', evidence: [], prompt: undefined, rules: of };
    },
  });
  cells = await PeerCells.start();
  await cells.partner.host('dragon-lin', { calls: calls('partner') });
  await cells.home.host('W-jarvis', { calls: calls('home') });
  await cells.grant(VERBS);
  await cells.untilRows(1);
  third = await ForeignCell.joined(cells.home.controller, 'third');
  await third.grant({ verbs: VERBS });
});
afterEach(async () => {
  third?.close();
  await cells?.end();
});

test('the third cell is told of the second’s own rows, and by no word of the first', async () => {
  const view = new GrantedView(await third.fleet());
  await until(() => view.bookmarks > 0 && view.names.length === 1, SOON);
  const host = cells.partner.host('dragon-two');
  await cells.untilRows(1, 'dragon-two');
  await host;
  await cells.home.host('W-second');
  await until(() => view.hosts.has('W-second/u'), SOON);
  expect([...view.hosts.keys()].sort()).toEqual(['W-jarvis/u', 'W-second/u']);
  const words = JSON.stringify(view.frames, (_, value) =>
    value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : typeof value === 'bigint' ? '' : value,
  );
  expect(words).not.toMatch(/partner|dragon/);
  view.call.cancel();
});

test.each(['partner/dragon-lin/u', 'dragon-lin/u'])('no call of the third cell reaches %s', async (hostAgent) => {
  const client = await third.fleet();
  const behalf = third.behalf();
  const explain = (place: { hostAgent: string; key: string }, metadata: Metadata) =>
    unary<ExplainAgentResponse>((done) => client.explainAgent(place, metadata, done));
  const send = (id: string, metadata: Metadata) => {
    const target = { hostAgent, key: 'a', paneId: '%1', panePid: 7 };
    const words = { sender: undefined, text: 'x', verify: true, timeoutMs: 1_000, waitIdleMs: 0, noLabel: false };
    return unary<OrderOutcome>((done) => client.sendText({ id, target, ...words }, metadata, done));
  };
  const absent = await failureOf(explain({ hostAgent: 'nowhere/u', key: 'a' }, behalf));
  for (const failure of [
    await failureOf(explain({ hostAgent, key: 'a' }, behalf)),
    await failureOf(send('o-1', behalf)),
  ]) {
    expect([failure.code, failure.details]).toEqual([status.NOT_FOUND, absent.details]);
  }
  // Nor for somebody of the first cell, nor as a call that came through.
  const others: Partial<OnBehalfOf>[] = [
    { actor: 'spiffe://partner/operator/ann' },
    { actor: 'spiffe://home/operator/root' },
    { federated: true },
  ];
  for (const over of others) {
    expect((await failureOf(send('o-2', third.behalf(over)))).code).toBe(status.PERMISSION_DENIED);
    expect((await failureOf(explain({ hostAgent, key: 'a' }, third.behalf(over)))).code).toBe(status.PERMISSION_DENIED);
  }
  expect(reached).toEqual([]);
  expect((await explain({ hostAgent: 'W-jarvis/u', key: 'a' }, behalf)).rules).toBe('home');
});
