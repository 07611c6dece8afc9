import { afterEach, beforeEach, expect, test } from 'vitest';
import { watchAudit } from '../../../src/cli/client/admin-methods.ts';
import { adminEndpoint } from '../../../src/cli/client/endpoints.ts';
import { runResumed } from '../../../src/cli/records/resumed-stream.ts';
import { sleep } from '../../../src/runtime/sleep.ts';
import { RunningController } from '../../helpers/run-controller.ts';

/** Longer than the controller is ever silent. */
const STALL_MS = 4_000;

let cell: RunningController;
beforeEach(async () => {
  cell = await RunningController.start();
});
afterEach(() => cell?.remove());

test('a reader that takes its time over a record does not say that the service is silent, nor asks it anew', async () => {
  const over = new AbortController();
  const { signal } = over;
  const broken: string[] = [];
  let asked = 0;
  let messages = 0;
  const onMessage = async (): Promise<void> => {
    if (messages++ === 0) await sleep(1.5 * STALL_MS, signal);
    else over.abort();
  };
  const request = () => ({ follow: true, afterSequence: BigInt(asked++), sinceMs: 0, newest: 0 });
  const stream = { endpoint: adminEndpoint(cell.config.paths), method: watchAudit, request, follow: true };
  await runResumed(
    { ...stream, onMessage, onBroken: (why: string) => void broken.push(why), stallMs: STALL_MS },
    signal,
  );
  expect([broken, asked]).toEqual([[], 1]);
});
