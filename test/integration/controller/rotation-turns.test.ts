import { afterEach, beforeEach, expect, it } from 'vitest';
import { FleetError } from '../../../src/domain/errors.ts';
import { TestCell } from '../../helpers/test-cell.ts';

let cell: TestCell;
beforeEach(async () => {
  cell = await new TestCell().start();
});
afterEach(() => cell.stop());

it('a step of a rotation is not begun for a caller who left while it waited for its turn', async () => {
  const backup = Promise.withResolvers<void>();
  void cell.rotation.inTurn(() => backup.promise);
  const leaving = new AbortController();
  const taken = cell.rotation.take('begin', false, leaving.signal);
  leaving.abort(new FleetError('CANCELLED', 'the caller left'));
  backup.resolve();
  await expect(taken).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(cell.authority.phase).toBe('none');
});

it('a step that was begun is taken to its end, whoever leaves meanwhile', async () => {
  const leaving = new AbortController();
  const begin = cell.authority.begin.bind(cell.authority);
  cell.authority.begin = (nowMs) => {
    leaving.abort(new FleetError('CANCELLED', 'the caller left'));
    return begin(nowMs);
  };
  expect(await cell.rotation.take('begin', false, leaving.signal)).toMatchObject({ phase: 'begun' });
  // Hosts are told of it, and the next step may follow.
  expect(await cell.rotation.take('switch', false, new AbortController().signal)).toMatchObject({ phase: 'switched' });
});
