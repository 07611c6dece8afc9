/** The controller that owns the agents ends and begins anew on what it stored, with what others have open there in its midst. */
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { CallsInFault } from '../../helpers/calls-in-fault.ts';
import { cellsInFault } from '../../helpers/cells-in-fault.ts';
import { until } from '../../helpers/until.ts';

const LONG = { timeout: 300_000 };
const SOON = { timeoutMs: 40_000 };

const cells = cellsInFault();

test(
  'one that is killed: what it left open is closed at its start, and what became of it is told on both sides',
  LONG,
  async () => {
    const calls = new CallsInFault(cells, 'killed');
    await calls.open();
    await cells.acme.controller.end('SIGKILL');
    await until(() => calls.send.stderr.includes('after the order was sent'), SOON);
    expect(await cells.seen(calls.shown)).toMatchObject({ current: false, row: { agent: calls.shown } });
    calls.goOn();
    await cells.acme.startController();
    await calls.settle();
    await calls.agreed();
    const { acme } = await calls.audited('WatchTerminal', calls.shown);
    expect(acme.map(({ reason }) => reason)).toContain('the controller ended first');
    expect((await cells.acme.ran('audit', '--verify')).code).toBe(0);
  },
);

test('one that is stopped says so, and is no end of anything', LONG, async () => {
  const calls = new CallsInFault(cells, 'ended');
  await calls.open();
  await cells.acme.controller.end('SIGTERM');
  calls.goOn();
  await cells.acme.startController();
  await calls.settle();
  await calls.agreed();
});

test('a screen that it has not heard of again is waited for', LONG, async () => {
  const { acme, home } = cells;
  await acme.agent('fresh', 'echo ready; exec cat');
  await cells.untilCurrent('fresh');
  const watch = home.fleet('watch', cells.addressOf('fresh'));
  await until(() => watch.stdout.includes('ready'), SOON);
  await acme.controller.end('SIGKILL');
  // As of an agent that came in the last second: its row was not written yet.
  const database = new DatabaseSync(`${acme.paths.state}/controller/controller.db`);
  database.prepare("DELETE FROM entry WHERE key LIKE 'row/%'").run();
  database.close();
  acme.hostAgent.freeze();
  await acme.startController();
  await until(async () => (await cells.seen('fresh')).peer === 'connected', SOON);
  await until(async () => (await acme.auditOf('WatchTerminal', '')).length > 0, SOON);
  acme.hostAgent.thaw();
  await cells.untilCurrent('fresh');
  await acme.tmux('send-keys', '-t', '=fresh:', 'afterwards', 'Enter');
  await until(() => watch.stdout.includes('afterwards'), SOON);
  expect(watch.child.exitCode).toBeNull();
});
