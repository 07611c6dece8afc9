/** What a person has open at a peer’s agents goes on while either cell goes over to its next authority. */
import { once } from 'node:events';
import { type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Watching } from '../../helpers/fleet-caller.ts';
import { PeerCells } from '../../helpers/peer-cells.ts';
import { rotate, rotationOf } from '../../helpers/rotation-steps.ts';
import { SimulatedScreen } from '../../helpers/simulated-screen.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
/** Peers tell each other of a change some seconds after the one before. */
const TOLD = { timeoutMs: 60_000 };
const PLACE = { hostAgent: 'partner/dragon-lin/u', key: 'a' };

let cells: PeerCells;
beforeEach(async () => {
  cells = await PeerCells.start();
});
afterEach(() => cells?.end());

/** To the end, as `partner` knows of it: then calls by certificates of before stand on nothing any more. */
const homeGoesOver = async (): Promise<void> => {
  const { controller } = cells.home;
  const partner = async () =>
    (await rotationOf(controller)).holders.find(({ spiffeId }) => spiffeId === 'spiffe://partner');
  await until(async () => (await partner())?.connected, SOON);
  await rotate(controller, 'begin');
  await until(async () => (await partner())?.trusts, SOON);
  await rotate(controller, 'switch');
  const { signing } = await rotate(controller, 'finish');
  await until(async () => (await cells.peer(cells.partner))?.fingerprints.join() === signing, TOLD);
};

test('a watch at a peer’s agent goes on, and a tail is to be opened anew, where our authority of before is given up', async () => {
  const screen = new SimulatedScreen();
  screen.draw('first');
  await cells.partner.host('dragon-lin', {
    calls: {
      watchTerminal: screen.watch,
      tailTerminal: async (_request, sink, { signal }) => {
        sink.write({ lines: ['a line'], fullScreen: false, missed: 0, end: undefined, run: undefined });
        await once(signal, 'abort');
      },
    },
  });
  await cells.grant(['observe', 'watch']);
  await cells.untilRows(1);
  const client = cells.home.admin();
  const watching = new Watching(client, PLACE).read();
  await until(() => watching.shows === 'first', SOON);
  const tail = client.tailTerminal({ ...PLACE, lines: 10, follow: true, lastRun: 0 });
  const tailEnded = once(tail, 'error');
  await once(tail, 'data');
  await homeGoesOver();
  const [failure] = (await tailEnded) as [ServiceError];
  expect([failure.code, failure.details]).toEqual([
    status.UNAVAILABLE,
    'cell partner does not accept a certificate of before any more',
  ]);
  await until(() => screen.asked === 2, SOON);
  screen.draw('second');
  await until(() => watching.shows === 'second' || watching.isOver, SOON);
  expect(watching.failure?.details).toBeUndefined();
  expect((await cells.peer())?.link?.state).toBe('connected');
  watching.call.cancel();
});
