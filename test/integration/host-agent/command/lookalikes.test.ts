import { expect, test } from 'vitest';
import { lookalike, lookalikeLog } from '../../../helpers/lookalike.ts';
import { until } from '../../../helpers/until.ts';
import { fromHere, OrderGround } from './order-ground.ts';

const LATER = { timeoutMs: 30_000 };

for (const runtime of ['claude', 'codex', 'pi'] as const) {
  test(`${runtime}: a message is taken, the next one is kept while it works`, async () => {
    await using ground = new OrderGround();
    const orders = ground.orders();
    const log = `${ground.folder}/log`;
    const agent = await ground.program(`exec ${lookalike(ground.folder, runtime, { log, workSeconds: 20 })}`);
    await agent.whenScreen(runtime, ({ state }) => state === 'available');
    expect(await agent.send(orders, 'count the files')).toMatchObject({ outcome: 'accepted' });
    await agent.whenScreen(runtime, ({ state }) => state === 'working');
    const next = await agent.send(orders, 'and then the lines\nof each');
    expect(next).toMatchObject({ outcome: 'queued-by-agent' });
    await until(() => lookalikeLog(log).length === 2, LATER);
    expect(JSON.stringify(lookalikeLog(log))).toContain('count the files');
    expect(JSON.stringify(lookalikeLog(log))).toContain('of each');
  });
}

for (const runtime of ['claude', 'codex'] as const) {
  test(`${runtime}: a prompt stops a message, is answered by its id, and goes`, async () => {
    await using ground = new OrderGround();
    const orders = ground.orders();
    const log = `${ground.folder}/log`;
    const agent = await ground.program(`exec ${lookalike(ground.folder, runtime, { log, start: 'trust' })}`);
    const { promptId, choices } = await agent.whenScreen(runtime, ({ state }) => state === 'blocked');
    expect((await agent.send(orders, 'hello')).outcome).toBe('blocked');
    const last = choices.at(-1)!;
    expect((await orders.answerPrompt(agent.answer(last.name, promptId), fromHere())).outcome).toBe('done');
    await until(() => lookalikeLog(log).length === 1, LATER);
    expect(lookalikeLog(log)).toMatchObject([{ choice: last.label }]);
  });
}
