/** The asking cell's own controller stands still, ends and begins anew, or its line to the peer holds every byte. */
import { expect, test } from 'vitest';
import { CallsInFault } from '../../helpers/calls-in-fault.ts';
import { cellsInFault } from '../../helpers/cells-in-fault.ts';
import { until } from '../../helpers/until.ts';

const LONG = { timeout: 300_000 };
const SOON = { timeoutMs: 40_000 };

const cells = cellsInFault();

/** The owner has heard that the asker is gone: what it did for it has an end in its audit. */
const untilLeft = (calls: CallsInFault) =>
  until(async () => (await cells.acme.auditOf('SendText', calls.told)).length === 2, SOON);

test('a frozen one: the owner gives up what it did for it, and both say that nobody knew', LONG, async () => {
  const calls = new CallsInFault(cells, 'frozen');
  await calls.open();
  cells.home.controller.freeze();
  await untilLeft(calls);
  calls.goOn();
  cells.home.controller.thaw();
  await calls.settle();
  await calls.agreed();
});

test('one that is killed: what it left open is closed at its start', LONG, async () => {
  const calls = new CallsInFault(cells, 'killed');
  await calls.open();
  await cells.home.controller.end('SIGKILL');
  await untilLeft(calls);
  calls.goOn();
  await cells.home.startController();
  await calls.settle();
  await calls.agreed();
  const { home } = await calls.audited('WatchTerminal', calls.shown);
  expect(home.map(({ reason }) => reason)).toContain('the controller ended first');
});

test('one that is stopped and begun anew', LONG, async () => {
  const calls = new CallsInFault(cells, 'ended');
  await calls.open();
  await cells.home.controller.end('SIGTERM');
  calls.goOn();
  await cells.home.startController();
  await calls.settle();
  await calls.agreed();
});

test('one that begins anew while the peer stands still ends nothing, though it shows no row of it', LONG, async () => {
  const calls = new CallsInFault(cells, 'both');
  await calls.open();
  cells.acme.controller.freeze();
  await until(() => calls.send.stderr.includes('after the order was sent'), SOON);
  await cells.home.controller.end('SIGKILL');
  await cells.home.startController();
  await until(async () => (await cells.seen(calls.shown)).row === null, SOON);
  // For longer than a program looks for an agent that its host would have gone without.
  await until(async () => {
    const asked = await cells.home.auditOf('WatchTerminal', '');
    return (asked.at(-1)?.atMs ?? 0) - (asked.at(0)?.atMs ?? 0) > 7_000;
  }, SOON);
  calls.goOn();
  cells.acme.controller.thaw();
  await calls.settle();
  await calls.agreed();
});

test('a line that holds every byte: both sides find it silent, and go on once it flows', LONG, async () => {
  const calls = new CallsInFault(cells, 'held');
  await calls.open();
  cells.line.halfOpen();
  await until(() => calls.send.stderr.includes('after the order was sent'), SOON);
  await untilLeft(calls);
  calls.goOn();
  cells.line.mend();
  await calls.settle();
  await calls.agreed();
});
