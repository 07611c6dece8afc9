import { credentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import { Watching } from '../../helpers/fleet-caller.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { SimulatedScreen } from '../../helpers/simulated-screen.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };

test('callers who open and give up a great many screens do not cost their host its line', async () => {
  const cell = await SimulatedCell.start();
  try {
    const screen = new SimulatedScreen();
    screen.draw('seen');
    await cell.host('dragon-lin', { calls: { watchTerminal: screen.watch } });
    const client = await cell.hostAgent('W-jarvis');
    const target = { hostAgent: 'dragon-lin/u', key: 'a' };
    const kept = new Watching(client, target).read();
    await until(() => kept.shows === 'seen', SOON);
    for (let round = 0; round < 15; round++) {
      // Each round has a connection of its own: that of a caller may fall.
      const own = { 'grpc.use_local_subchannel_pool': 1 };
      const caller = new FleetServiceClient(client.getChannel().getTarget(), credentials.createInsecure(), own);
      const many = Array.from({ length: 100 }, () => new Watching(caller, target).read());
      await until(() => many.every((each) => each.shows !== '' || each.failure !== null), SOON);
      for (const each of many) each.call.cancel();
      await until(() => many.every((each) => each.failure !== null), SOON);
      caller.close();
    }
    screen.draw('still');
    await until(() => kept.shows === 'still' || kept.failure !== null, SOON);
    expect(kept.failure).toBeNull();
    kept.call.cancel();
  } finally {
    await cell.end();
  }
});
