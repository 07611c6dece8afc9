/** A host that an operator removed holds nothing more of the others: that is not a line that broke. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRecords } from '../../../controller/store/records.ts';
import { SqliteStore } from '../../../controller/store/sqlite-store.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { WatchAgentsResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };

let cell: SimulatedCell;
let client: FleetServiceClient;
beforeEach(async () => {
  cell = await SimulatedCell.start();
  await cell.host('W-jarvis');
  client = await cell.hostAgent('dragon-lin');
  await until(async () => (await shown()).rows.includes('W-jarvis/u a'), SOON);
});
afterEach(() => cell?.end());

/** What the host-agent of dragon-lin tells its own user. */
const shown = async (): Promise<{ rows: string[]; state: string; reason: string }> => {
  const told = { rows: [] as string[], state: '', reason: '' };
  const call = client.watchAgents({ follow: false, resumeToken: '', localOnly: false, hostsOnly: false });
  call.on('data', ({ changes, bookmark }: WatchAgentsResponse) => {
    told.rows.push(...(changes?.agents ?? []).map(({ hostAgent, key }) => `${hostAgent} ${key}`));
    if (bookmark) Object.assign(told, { reason: '', ...bookmark.upstream });
  });
  await new Promise((resolve, reject) => call.once('end', resolve).once('error', reject));
  return told;
};

test('it shows the rows of others no more', async () => {
  await cell.removeHost('dragon-lin');
  await until(async () => (await shown()).state === 'refused', SOON);
  expect(await shown()).toMatchObject({ rows: [], reason: 'this identity is revoked' });
});

test('while its controller is away it shows them as last heard, and no more once it hears that it was removed', async () => {
  const { controller } = cell;
  await controller.stop();
  await until(async () => (await shown()).state === 'unreachable', SOON);
  expect((await shown()).rows).toEqual(['W-jarvis/u a']);
  const store = new SqliteStore(join(controller.config.paths.state, 'controller/controller.db'));
  store.start();
  const { identities } = await openRecords(store);
  const [uri, record] = [...identities.entries()].find(([, { host }]) => host === 'dragon-lin') ?? [];
  if (uri !== undefined && record !== undefined)
    await store.commit({ put: [identities.writing(uri, { ...record, revoked: true })] });
  store.stop();
  await controller.begin();
  await until(async () => (await shown()).state === 'refused', SOON);
  expect((await shown()).rows).toEqual([]);
});
