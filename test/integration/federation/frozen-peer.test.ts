/** The cell that owns the agents stands still, or its line does, with what others have open there in its midst. */
import { expect, test } from 'vitest';
import { CallsInFault } from '../../helpers/calls-in-fault.ts';
import { cellsInFault } from '../../helpers/cells-in-fault.ts';
import { lookalike, lookalikeLog } from '../../helpers/lookalike.ts';
import { until } from '../../helpers/until.ts';

const LONG = { timeout: 300_000 };
const SOON = { timeoutMs: 40_000 };

const cells = cellsInFault();

test(
  'a frozen controller: its rows stay and grow old, nobody else waits, what was open there goes on or is told',
  LONG,
  async () => {
    const { home, acme } = cells;
    const calls = new CallsInFault(cells, 'frozen');
    await home.agent('own', `exec ${lookalike(home.home, 'claude', { log: `${home.home}/own`, workSeconds: 0 })}`);
    await calls.open();
    acme.controller.freeze();
    const own = await home.ran('send', `${home.host}/own`, 'not held up', '-o', 'json');
    expect(JSON.parse(own.stdout)).toMatchObject({ outcome: 'accepted' });
    await until(async () => !(await cells.seen(calls.shown)).current, SOON);
    await until(() => calls.send.stderr.includes('after the order was sent'), SOON);
    await until(async () => (await cells.seen(calls.shown)).link === 'lost', SOON);
    expect(await cells.seen(calls.shown)).toMatchObject({ current: false, peer: 'lost', row: { agent: calls.shown } });
    calls.goOn();
    acme.controller.thaw();
    await calls.settle();
    await calls.agreed();
  },
);

test(
  'a message into a peer that stands still is typed once or never, as both cells say, and by its id once in all',
  LONG,
  async () => {
    const { home, acme } = cells;
    const log = `${acme.home}/late.submitted`;
    const submitted = () => lookalikeLog(log).flatMap(({ message }) => message ?? []);
    await acme.agent('late', `exec ${lookalike(acme.home, 'claude', { log, workSeconds: 0 })}`);
    await cells.untilCurrent('late', 'claude');
    await until(async () => (await acme.tmux('capture-pane', '-p', '-t', '=late:')).includes('shortcuts'), SOON);
    const words = ['send', cells.addressOf('late'), 'hello', '--id', 'late', '-o', 'json'];
    acme.controller.freeze();
    const given = home.fleet(...words);
    await until(() => given.stderr.includes('after the order was sent'), SOON);
    acme.controller.thaw();
    const { outcome } = JSON.parse((await given.ended).stdout) as { outcome: string };
    expect(['accepted', 'refused']).toContain(outcome);
    expect(submitted()).toHaveLength(outcome === 'accepted' ? 1 : 0);
    for (const cell of [home, acme]) {
      const { stdout, stderr } = await cell.ran('order', 'late', '-o', 'json');
      // One that it was never given it cannot know.
      if (stdout === '')
        expect([cell.cell, outcome, stderr]).toEqual(['acme', 'refused', expect.stringMatching(/no such/)]);
      else expect(JSON.parse(stdout)).toMatchObject({ outcome });
    }
    await cells.untilCurrent('late');
    expect(JSON.parse((await home.ran(...words)).stdout)).toMatchObject({ outcome: 'accepted' });
    expect(submitted()).toEqual([expect.stringContaining('hello')]);
  },
);
