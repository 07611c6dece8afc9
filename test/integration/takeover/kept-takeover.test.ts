import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../helpers/until.ts';
import { origin, recordsIn, SLOW, Stage } from './stage.ts';

const stage = new Stage();
const journal = (): string => readFileSync(join(stage.tmux.tmpdir, 'orders.journal'), 'utf8');

beforeAll(() => stage.reader('coder'));
afterAll(() => stage.close());

test('who holds which pane is on disk before the keyboard is handed over, and its end when it is over', async () => {
  const held = stage.hold('coder', origin(), { id: 'first' });
  const lease = await held.granted;
  const { paneId, panePid } = stage.target('coder');
  expect(stage.kept.journal.get('first')).toMatchObject({
    verb: 'attach',
    actor: 'local:ada',
    key: 'coder',
    paneId,
    panePid,
    stage: 'typing',
    outcome: null,
  });
  expect(journal()).toContain('{"is":"stage","id":"first","stage":"typing"}');
  await stage.type('coder', lease, 1n, [{ text: 'xyzzy' }, { paste: 'plugh' }]);
  const bob = stage.hold('coder', origin('bob'), { id: 'second', takeover: true });
  await bob.granted;
  await held.ended;
  expect(stage.kept.journal.get('first')).toMatchObject({ outcome: 'done', reason: 'displaced: bob took over' });
  bob.leave();
  await bob.ended;
  expect(stage.kept.journal.get('second')).toMatchObject({ outcome: 'done', reason: 'left: the caller left' });
  expect(journal()).toContain('"is":"end","id":"second"');
  for (const text of ['xyzzy', 'plugh']) expect(journal()).not.toContain(text);
});

test('an id that was used hands over nothing', async () => {
  const first = stage.hold('coder', origin(), { id: 'once' });
  await first.granted;
  first.leave();
  await first.ended;
  await expect(stage.hold('coder', origin(), { id: 'once' }).granted).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  await expect(stage.hold('coder', origin(), { id: '' }).granted).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(stage.takeover.leases.writer('coder')).toBeNull();
});

test('what is refused after its begin was written is told as refused', async () => {
  const held = stage.hold('coder', origin(), { id: 'too-small', width: 5, height: 40 });
  await expect(held.granted).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await until(() => stage.kept.journal.get('too-small')?.outcome === 'refused', SLOW);
});

test('where it cannot be written the keyboard is not handed over, and is free again', async () => {
  const other = new Stage();
  try {
    await other.reader('coder');
    const closed = other.hold('coder');
    (await closed.granted).toString();
    closed.leave();
    await closed.ended;
    await other.kept.journal.stop();
    const refused = other.hold('coder', origin(), { id: 'unwritten' });
    await expect(refused.granted).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('could not be journalled'),
    });
    expect(other.kept.journal.get('unwritten')).toBeUndefined();
    expect(other.takeover.leases.writer('coder')).toBeNull();
    expect(refused.events).toEqual([]);
  } finally {
    await other.close();
  }
});

test('one of a host-agent that was killed is told as of unknown end', async () => {
  const folder = join(stage.tmux.tmpdir, 'killed');
  mkdirSync(folder);
  const killed = recordsIn(folder);
  const { key, paneId, panePid } = stage.target('coder');
  await killed.records.begin({ id: 'cut-off', key, paneId, panePid, actor: 'local:ada' });
  await killed.journal.stop();
  const next = recordsIn(folder);
  await until(() => next.journal.get('cut-off')?.outcome === 'unknown', SLOW);
  await next.journal.stop();
  rmSync(folder, { recursive: true });
});
