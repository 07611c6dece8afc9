import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpenLeave, openLeave } from '../../../controller/dispatch/open-leave.ts';
import { openRecords, type Records } from '../../../controller/store/records.ts';
import { SqliteStore } from '../../../controller/store/sqlite-store.ts';
import { type Caller, type GrantableVerb, LOCAL_CALLER } from '../../../controller/tenancy/caller.ts';
import { allowVerbs } from '../../../controller/tenancy/ceilings.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { FleetView } from '../../../src/view/fleet-view.ts';

const ID = 'dragon-lin/u';
const JARVIS = { host: 'W-jarvis', user: 'jarvis' };

let folder: string;
let store: SqliteStore;
let records: Records;
let view: FleetView;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-v-'));
  store = new SqliteStore(join(folder, 'controller.db'));
  store.start();
  records = await openRecords(store);
  view = new FleetView({ clock: systemClock });
  putHost('ours');
});
afterEach(() => {
  store.stop();
  rmSync(folder, { recursive: true, force: true });
});

const putHost = (tenantId: string): void =>
  view.putHostAgent({
    id: ID,
    cell: 'home',
    host: 'dragon-lin',
    user: 'u',
    tenantId,
    facts: null,
    linkState: 'connected',
    linkReason: null,
    linkSinceMono: 0,
    here: false,
    heardAtMono: 0,
    clockSkewMs: null,
    behind: null,
  });

const jarvis: Caller = {
  ...LOCAL_CALLER,
  ...JARVIS,
  kind: 'host',
  tenantId: 'ours',
  tenants: ['ours'],
  ceiling: ['takeover'],
};
const leaveOf = (caller: Caller, verb: GrantableVerb | null, signal = new AbortController().signal): OpenLeave =>
  openLeave({ view, records }, caller, verb, { hostAgent: ID, key: 'a' }, signal);

test('it ends when the host becomes another tenant’s, as if there were no such agent; whoever sees all keeps it', () => {
  using leave = leaveOf(jarvis, null);
  using everyones = leaveOf(LOCAL_CALLER, 'takeover');
  expect(leave.signal.aborted).toBe(false);
  putHost('theirs');
  expect(leave.signal.reason).toMatchObject({ code: 'NOT_FOUND', message: 'no such agent: see "fleet ps"' });
  expect(everyones.signal.aborted).toBe(false);
  view.removeHostAgent(ID);
  expect(everyones.signal.reason).toMatchObject({ code: 'NOT_FOUND' });
});

test('it ends when what it needs is allowed no more, naming the command that would allow it', async () => {
  await allowVerbs(records, [JARVIS], ['send', 'takeover']);
  using hold = leaveOf(jarvis, 'takeover');
  using tail = leaveOf(jarvis, null);
  using own = leaveOf({ ...jarvis, host: 'dragon-lin', user: 'u' }, 'takeover');
  await allowVerbs(records, [JARVIS], ['takeover']);
  expect(hold.signal.aborted).toBe(false);
  await allowVerbs(records, [JARVIS], ['send']);
  expect(hold.signal.reason).toMatchObject({
    code: 'PERMISSION_DENIED',
    message: expect.stringContaining('"fleet host allow W-jarvis send takeover"'),
  });
  expect([tail.signal.aborted, own.signal.aborted]).toEqual([false, false]);
});

test('it is none for what was allowed no more while the call was being let in', async () => {
  await allowVerbs(records, [JARVIS], ['send']);
  using hold = leaveOf(jarvis, 'takeover');
  expect(hold.signal.reason).toMatchObject({ code: 'PERMISSION_DENIED' });
});

test('a call that is over is judged no more, and the caller’s own leaving ends it', () => {
  const gone = new AbortController();
  const over = leaveOf(jarvis, null);
  using left = leaveOf(jarvis, null, gone.signal);
  over[Symbol.dispose]();
  gone.abort(new Error('left'));
  putHost('theirs');
  expect(over.signal.aborted).toBe(false);
  expect(left.signal.reason).toMatchObject({ message: 'left' });
});
