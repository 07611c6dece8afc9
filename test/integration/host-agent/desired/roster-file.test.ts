/** A host's roster read and replaced by order: the file on disk is real. */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OrderEnd } from '../../../../host-agent/command/order-end.ts';
import type { OrderRun } from '../../../../host-agent/command/order-run.ts';
import type { Orders } from '../../../../host-agent/command/orders.ts';
import { getRoster } from '../../../../host-agent/desired/get-roster.ts';
import { RosterFile } from '../../../../host-agent/desired/put-roster.ts';
import { rosterDigest } from '../../../../src/roster/digest.ts';
import type { OrderOutcome } from '../../../../src/wire/gen/fleet/v1/orders.ts';
import type { PutRosterRequest } from '../../../../src/wire/gen/fleet/v1/roster.ts';
import { fromHere, newId, realOrders } from '../command/order-ground.ts';

const BEFORE = '# ours\nversion: 2\nagents:\n  - name: coder # the best\n    runtime: pi\n';
const AFTER = `${BEFORE}  - name: reviewer\n    runtime: codex\n`;

let home: string;
let roster: string;
let orders: Orders;
/** What lay there whenever its readers were told to look. */
let told: string[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fleet-roster-'));
  mkdirSync(join(home, 'fleet/agents'), { recursive: true });
  roster = join(home, 'fleet/roster.yaml');
  told = [];
  orders = realOrders(home, new Map(), { roster: rosterFile() });
});
afterEach(async () => {
  await orders.stopped();
  rmSync(home, { recursive: true, force: true });
});

const readRoster: ReturnType<typeof getRoster> = (request, context) =>
  getRoster({
    mosaicHome: home,
    standing: async () => ({ undeployed: [], orphans: [], operatorUnits: [], leftOver: [] }),
  })(request, context);
const rosterFile = () =>
  new RosterFile({
    mosaicHome: home,
    nowMs: () => Date.UTC(2026, 0, 2),
    written: async () => {
      told.push(readFileSync(roster, 'utf8'));
    },
  });

const put = (
  text: string,
  expectedDigest: string,
  over: { id?: string; force?: boolean } = {},
): Promise<OrderOutcome> =>
  orders.putRoster(
    { id: newId(), hostAgent: 'W-jarvis/jarvis', text, expectedDigest, force: false, timeoutMs: 5_000, ...over },
    fromHere(),
  );
const filesOf = () => readdirSync(join(home, 'fleet')).sort();

test('a roster that its sender saw is replaced whole, keeps its mode, and leaves nothing beside it', async () => {
  writeFileSync(roster, BEFORE, { mode: 0o640 });
  const { digest, text } = await readRoster({ hostAgent: '' }, fromHere());
  expect(text).toBe(BEFORE);
  expect(await put(AFTER, digest)).toMatchObject({
    outcome: 'done',
    reason: '',
    verb: 'roster',
    address: 'home/W-jarvis/jarvis',
  });
  expect(readFileSync(roster, 'utf8')).toBe(AFTER);
  expect(statSync(roster).mode & 0o777).toBe(0o640);
  expect(filesOf()).toEqual(['agents', 'roster.yaml']);
  expect(told).toEqual([AFTER]);
});

test('the first roster is private to its user', async () => {
  expect(await put(BEFORE, '')).toMatchObject({ outcome: 'done' });
  expect(statSync(roster).mode & 0o777).toBe(0o600);
});

test('another one than its sender saw is refused untouched, and kept beside the new one where that is forced', async () => {
  writeFileSync(roster, BEFORE);
  const seen = rosterDigest('version: 2\n');
  const refused = await put(AFTER, seen);
  expect(refused).toMatchObject({
    outcome: 'refused',
    reason: `${roster} is another by now: look at it, or --force keeps it beside the new one`,
  });
  expect(readFileSync(roster, 'utf8')).toBe(BEFORE);
  const kept = `${roster}.before-2026-01-02T00-00-00-000Z`;
  expect(await put(AFTER, seen, { force: true })).toMatchObject({
    outcome: 'done',
    reason: `the one before is kept as ${kept}`,
  });
  expect(readFileSync(kept, 'utf8')).toBe(BEFORE);
  expect(readFileSync(roster, 'utf8')).toBe(AFTER);
});

test('two who saw the same roster do not both replace it', async () => {
  writeFileSync(roster, BEFORE);
  const seen = rosterDigest(BEFORE);
  const other = BEFORE.replace('coder', 'planner');
  const outcomes = await Promise.all([put(AFTER, seen), put(other, seen)]);
  expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['done', 'refused']);
});

test('the same order again, and the same text again, write nothing', async () => {
  expect(await put(BEFORE, '', { id: 'r-1' })).toMatchObject({ outcome: 'done', repeated: false });
  writeFileSync(roster, AFTER);
  expect(await put(BEFORE, '', { id: 'r-1' })).toMatchObject({ outcome: 'done', repeated: true });
  expect(readFileSync(roster, 'utf8')).toBe(AFTER);
  expect(await put(AFTER, 'whatever')).toMatchObject({ outcome: 'done', reason: 'it says so already' });
});

test('a text that is no roster is refused with its place, and so is YAML where JSON lies', async () => {
  const refused = await put('version: 2\nagents:\n  - name: coder\n    runtme: pi\n', '');
  expect(refused.outcome).toBe('refused');
  expect(refused.reason).toMatch(/roster\.yaml:4:5: .*`runtime`/);
  expect(filesOf()).toEqual(['agents']);
  const json = '{"version": 2, "agents": [{"name": "coder", "runtime": "pi"}]}';
  writeFileSync(join(home, 'fleet/roster.json'), json);
  expect(await put(AFTER, rosterDigest(json))).toMatchObject({ outcome: 'refused' });
});

test('a roster that is a link stays one: what it names is written', async () => {
  const real = join(home, 'elsewhere.yaml');
  writeFileSync(real, BEFORE);
  symlinkSync(real, roster);
  expect(await put(AFTER, rosterDigest(BEFORE))).toMatchObject({ outcome: 'done' });
  expect(lstatSync(roster).isSymbolicLink()).toBe(true);
  expect(readFileSync(real, 'utf8')).toBe(AFTER);
});

test('what outranks the roster is told, and no other variable leaves its host', async () => {
  writeFileSync(roster, BEFORE);
  writeFileSync(join(home, 'fleet/agents/coder.env'), 'MOSAIC_AGENT_MODEL=opus\nAPI_KEY=secret\n');
  const { env, problem } = await readRoster({ hostAgent: '' }, fromHere());
  expect(problem).toBe('');
  expect(env).toEqual([{ agent: 'coder', variables: { MOSAIC_AGENT_MODEL: 'opus' } }]);
});

test('a host that only lets others start and stop agents lets nobody write its roster', async () => {
  const strict = realOrders(home, new Map(), {
    journalPath: join(home, 'strict.journal'),
    roster: rosterFile(),
    policy: () => ({
      control: 'lifecycle',
      federated: 'observe',
      takeover: true,
      federatedTakeover: false,
      problem: null,
    }),
  });
  const request = { id: newId(), hostAgent: '', text: BEFORE, expectedDigest: '', force: true, timeoutMs: 5_000 };
  expect(await strict.putRoster(request, fromHere())).toMatchObject({ outcome: 'refused' });
  expect(filesOf()).toEqual(['agents']);
  await strict.stopped();
});

describe('a host-agent that ended while it wrote', () => {
  const cutAt = async (id: string, expectedDigest: string, wrote: string | null): Promise<OrderOutcome> => {
    const journalPath = join(home, 'cut.journal');
    const reached = Promise.withResolvers<void>();
    const put = async (_: PutRosterRequest, run: OrderRun): Promise<OrderEnd> => {
      await run.typing();
      if (wrote !== null) writeFileSync(roster, wrote);
      reached.resolve();
      await new Promise((_, reject) => run.signal.addEventListener('abort', reject));
      throw new Error('never reached');
    };
    const file = rosterFile();
    const cut = { put, digestOf: (text: string) => file.digestOf(text), lookBack: () => file.lookBack({}) };
    const first = realOrders(home, new Map(), { journalPath, roster: cut });
    const request = { id, hostAgent: 'W-jarvis/jarvis', text: AFTER, expectedDigest, force: false, timeoutMs: 5_000 };
    const told = first.putRoster(request, fromHere());
    await reached.promise;
    await first.stopped();
    expect(await told).toMatchObject({ outcome: 'pending' });
    const next = realOrders(home, new Map(), { journalPath, roster: file });
    const after = await next.putRoster(request, fromHere());
    await next.stopped();
    return after;
  };

  test('after the text was there: its successor tells that it is done', async () => {
    writeFileSync(roster, BEFORE);
    const after = await cutAt('cut-1', rosterDigest(BEFORE), AFTER);
    expect(after).toMatchObject({ outcome: 'done', reason: 'the host-agent ended meanwhile', repeated: true });
  });

  test('before that, or where a hand changed it since: nobody can know, and the file stays as it is', async () => {
    writeFileSync(roster, BEFORE);
    const after = await cutAt('cut-2', rosterDigest(BEFORE), null);
    expect(after).toMatchObject({ outcome: 'unknown', reason: expect.stringMatching(/it was not written, or is/) });
    expect(readFileSync(roster, 'utf8')).toBe(BEFORE);
  });
});
