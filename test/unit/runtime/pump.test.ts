import { expect, test } from 'vitest';
import { Pump } from '../../../src/runtime/pump.ts';

/** Work that is held until the test lets each run go. */
const heldWork = () => {
  const runs: PromiseWithResolvers<void>[] = [];
  const work = () => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  };
  return { runs, work };
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('requests of one moment are one run', async () => {
  const { runs, work } = heldWork();
  const pump = new Pump(work);
  const all = Promise.all([pump.request(), pump.request(), pump.request()]);
  await turn();
  expect(runs.length).toBe(1);
  runs[0]!.resolve();
  await all;
  expect(runs.length).toBe(1);
});

test('a request during a run waits for a run of its own, and runs never overlap', async () => {
  const { runs, work } = heldWork();
  const pump = new Pump(work);
  void pump.request();
  await turn();
  let done = false;
  const late = pump.request().then(() => {
    done = true;
  });
  await turn();
  expect(runs.length).toBe(1);
  runs[0]!.resolve();
  await turn();
  expect(runs.length).toBe(2);
  expect(done).toBe(false);
  runs[1]!.resolve();
  await late;
});

test('a run that throws is told and does not stop the next', async () => {
  const errors: unknown[] = [];
  let runs = 0;
  const pump = new Pump(
    async () => {
      runs += 1;
      if (runs === 1) throw new Error('first');
    },
    (error) => errors.push(error),
  );
  await pump.request();
  await pump.request();
  expect(runs).toBe(2);
  expect(errors).toEqual([new Error('first')]);
});
