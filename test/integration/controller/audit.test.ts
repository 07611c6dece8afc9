import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditHandlers } from '../../../controller/admin/audit-calls.ts';
import { openBodyMac } from '../../../controller/audit/body-mac.ts';
import { LOCAL_CALLER } from '../../../controller/tenancy/caller.ts';
import { KeptHeads } from '../../../host-agent/audit/kept-heads.ts';
import { controllerStatus, verifyAudit, watchAudit } from '../../../src/cli/client/admin-methods.ts';
import { aborted } from '../../../src/runtime/aborted.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import type { AuditRecord, WatchAuditResponse } from '../../../src/wire/gen/fleet/v1/audit.ts';
import type { OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { Watching } from '../../helpers/fleet-caller.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import type { SimulatedHost } from '../../helpers/simulated-host.ts';
import { TestCell, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const TEXT = 'the secret plan';
const outcome = (over: Partial<OrderOutcome>): OrderOutcome => ({
  id: '',
  address: '',
  verb: 'send',
  outcome: 'accepted',
  reason: '',
  actor: '',
  beganMs: 1,
  endedMs: 2,
  repeated: false,
  ...over,
});

describe('the audit of a running cell', () => {
  let cell: SimulatedCell;
  let dragon: SimulatedHost;

  beforeAll(async () => {
    cell = await SimulatedCell.start();
    dragon = await cell.host('dragon-lin', {
      calls: {
        sendText: async () => outcome({ outcome: 'blocked', reason: 'Do you want to run rm?' }),
        watchTerminal: (_request, sink, { signal }) => {
          sink.write({ status: undefined, frame: undefined, end: undefined });
          return aborted(signal);
        },
      },
    });
  });

  afterAll(() => cell.end());

  const records = (): Promise<AuditRecord[]> =>
    cell.controller.admin(async (channel) => {
      const found: AuditRecord[] = [];
      const request = { follow: false, afterSequence: 0n, sinceMs: 0, newest: 0 };
      for await (const message of channel.stream(watchAudit, request, { deadlineMs: 5_000 }))
        found.push(...message.records);
      return found;
    });
  const recordsOf = async (verb: string) => (await records()).filter((record) => record.verb.endsWith(`/${verb}`));
  const target = (host: SimulatedHost) => ({ hostAgent: host.id, key: 'a', paneId: '%1', panePid: 1 });
  const send = (client: ReturnType<typeof cell.admin>, host: SimulatedHost, id: string) =>
    unary((done) =>
      client.sendText(
        {
          id,
          target: target(host),
          sender: undefined,
          text: TEXT,
          verify: true,
          timeoutMs: 0,
          waitIdleMs: 0,
          noLabel: false,
        },
        done,
      ),
    );

  it('tells of a message who, where, what became of it, how long and how much, and of its body the HMAC alone', async () => {
    await send(cell.as(dragon), dragon, 'm1');
    const [allowed, done] = await recordsOf('SendText');
    const whole = {
      cell: 'home',
      actor: 'spiffe://home/host/dragon-lin/user/u',
      tenantId: 'default',
      hostAgent: 'dragon-lin/u',
      agent: 'coder0-0',
      target: 'home/dragon-lin/u/coder0-0',
    };
    const mac = await openBodyMac(join(cell.controller.config.paths.state, 'controller/audit.key'));
    expect(allowed).toMatchObject({ ...whole, outcome: 'allowed', body: mac(TEXT) });
    expect(done).toMatchObject({ ...whole, outcome: 'done', reason: 'blocked', call: allowed?.call });
    expect(done?.latencyMs).toBeGreaterThan(0);
    expect(done?.bytes).toBeGreaterThan(TEXT.length);
    const { state } = cell.controller.config.paths;
    for (const file of ['controller.db', 'controller.db-wal']) {
      const stored = readFileSync(join(state, 'controller', file));
      expect(stored.includes(TEXT)).toBe(false);
      expect(stored.includes('run rm')).toBe(false);
    }
    expect(statSync(join(state, 'controller/audit.key')).mode & 0o777).toBe(0o600);
  });

  it('has a refusal by what the caller may do as a denial, on disk before it is told', async () => {
    await cell.host('other');
    await expect(send(cell.as(dragon), { ...dragon, id: 'other/u' } as SimulatedHost, 'm2')).rejects.toMatchObject({
      code: 7,
    });
    const denied = (await recordsOf('SendText')).at(-1);
    expect(denied).toMatchObject({
      outcome: 'denied',
      hostAgent: 'other/u',
      actor: 'spiffe://home/host/dragon-lin/user/u',
    });
    expect(denied?.reason).not.toBe('');
  });

  it('has the begin of a watch while it goes on, and its end with its bytes', async () => {
    const watching = new Watching(cell.as(dragon), { hostAgent: dragon.id, key: 'a' }).read();
    const began = await until(async () => (await recordsOf('WatchTerminal'))[0], SOON);
    expect(began).toMatchObject({ outcome: 'began', agent: 'coder0-0' });
    watching.call.cancel();
    const [, ended] = await until(async () => {
      const found = await recordsOf('WatchTerminal');
      return found.length === 2 ? found : null;
    }, SOON);
    expect(ended).toMatchObject({ outcome: 'ended', call: began.call });
    expect(ended?.bytes).toBeGreaterThan(0);
  });

  it('keeps what came of a message with the changes, and what was read apart from them', async () => {
    await send(cell.as(dragon), dragon, 'm4');
    await unary((done) => cell.as(dragon).whoAmI({}, done));
    const [told, read] = [(await recordsOf('SendText')).at(-1), (await recordsOf('WhoAmI')).at(-1)];
    expect(told).toMatchObject({ outcome: 'done' });
    const db = new DatabaseSync(join(cell.controller.config.paths.state, 'controller/controller.db'), {
      readOnly: true,
    });
    const keys = db.prepare('SELECT key FROM entry').all() as { key: string }[];
    db.close();
    const placeIn = (prefix: string, at?: bigint) =>
      keys.filter(({ key }) => key === prefix + String(at).padStart(16, '0'));
    expect(placeIn('audit/', told?.sequence)).toHaveLength(1);
    expect(placeIn('audit-read/', read?.sequence)).toHaveLength(1);
  });

  it('tells a read once, when it is over', async () => {
    const before = await recordsOf('WhoAmI');
    await unary((done) => cell.as(dragon).whoAmI({}, done));
    expect((await recordsOf('WhoAmI')).slice(before.length)).toMatchObject([
      { outcome: 'done', actor: 'spiffe://home/host/dragon-lin/user/u' },
    ]);
  });

  it('is followed from where a reader was', async () => {
    await cell.controller.admin(async (channel) => {
      const last = (await records()).at(-1)?.sequence as bigint;
      const got: AuditRecord[] = [];
      const over = new AbortController();
      const request = { follow: true, afterSequence: last, sinceMs: 0, newest: 0 };
      const reading = (async () => {
        for await (const message of channel.stream(watchAudit, request, { signal: over.signal }))
          got.push(...message.records);
      })().catch(() => undefined);
      await send(cell.as(dragon), dragon, 'm3');
      await until(() => got.some(({ reason }) => reason === 'blocked'), SOON);
      over.abort();
      await reading;
      expect(got.every(({ sequence }) => sequence > last)).toBe(true);
    });
  });

  it('says where a chain that was edited on disk breaks, and that heads which hosts kept are not in a new one', async () => {
    const [, , third] = await records();
    const kept = await until(async () => {
      const answer = await unary<{ heads: { sequence: bigint; hash: string; heardMs: number }[] }>((done) =>
        cell.admin().getAuditHeads({ hostAgent: dragon.id }, done),
      );
      return answer.heads.length > 0 ? answer.heads : null;
    }, SOON);
    const verify = () => cell.controller.ask(verifyAudit, { heads: kept });
    expect(await verify()).toMatchObject({ broken: undefined, rewritten: undefined, headsFound: kept.length });
    await cell.controller.stop();
    const db = new DatabaseSync(join(cell.controller.config.paths.state, 'controller/controller.db'));
    // A change or a read: which comes third depends on when reads are written.
    for (const prefix of ['audit/', 'audit-read/']) {
      const key = `${prefix}${String(third?.sequence).padStart(16, '0')}`;
      db.prepare("UPDATE entry SET value = CAST(replace(value, 'done', 'DONE') AS BLOB) WHERE key = ?").run(key);
      db.prepare("UPDATE entry SET value = CAST(replace(value, 'allowed', 'refused') AS BLOB) WHERE key = ?").run(key);
      db.prepare("UPDATE entry SET value = CAST(replace(value, 'began', 'begun') AS BLOB) WHERE key = ?").run(key);
    }
    db.close();
    await cell.controller.begin();
    expect(await verify()).toMatchObject({ records: 2n, broken: { sequence: third?.sequence, why: 'it was altered' } });
    await cell.controller.stop();
    const emptied = new DatabaseSync(join(cell.controller.config.paths.state, 'controller/controller.db'));
    emptied.prepare("DELETE FROM entry WHERE key LIKE 'audit%'").run();
    emptied.close();
    await cell.controller.begin();
    await cell.controller.ask(controllerStatus, {});
    expect((await verify()).rewritten).toMatchObject({ sequence: kept[0]?.sequence });
  });
});

describe('whose records an operator reads', () => {
  it('are those of its own tenant on both sides; a reader who comes back too late is told so', async () => {
    const cell = await new TestCell().start();
    try {
      const entry = { actor: 'a', verb: 'v', target: '', outcome: 'done', reason: '' } as const;
      await cell.audit.record({ ...entry, target: 'mine', tenantId: 'acme', actorTenantId: 'acme' });
      await cell.audit.record({ ...entry, target: 'by the cell', tenantId: 'acme' });
      await cell.audit.record({ ...entry, target: 'tried by me', tenantId: 'beta', actorTenantId: 'acme' });
      await cell.audit.record({ ...entry, target: 'tried on me', tenantId: 'acme', actorTenantId: 'beta' });
      await cell.audit.record({ ...entry, target: 'of the cell' });
      const handlers = auditHandlers(cell.audit, cell.clock);
      const read = async (caller: typeof LOCAL_CALLER, request: object): Promise<WatchAuditResponse[]> => {
        const messages: WatchAuditResponse[] = [];
        const call = { write: (message: WatchAuditResponse) => Boolean(messages.push(message)) };
        const whole = { follow: false, afterSequence: 0n, sinceMs: 0, newest: 0, ...request };
        await handlers.watchAudit(caller, whole, call as never, { id: '', signal: new AbortController().signal });
        return messages;
      };
      const targets = (messages: WatchAuditResponse[]) =>
        messages.flatMap(({ records }) => records).map(({ target }) => target);
      const acme = { ...LOCAL_CALLER, kind: 'operator', tenantId: 'acme', tenants: ['acme'] } as const;
      expect(targets(await read(acme, {}))).toEqual(['mine', 'by the cell']);
      expect(targets(await read(acme, { newest: 1 }))).toEqual(['by the cell']);
      expect(targets(await read(LOCAL_CALLER, { newest: 2 }))).toEqual(['tried on me', 'of the cell']);
      expect(targets(await read(LOCAL_CALLER, { afterSequence: 4n }))).toEqual(['of the cell']);
      expect(await read(LOCAL_CALLER, { afterSequence: 77n })).toMatchObject([{ tooOld: true, sequence: 5n }]);
    } finally {
      await cell.stop();
    }
  });
});

describe('heads that a host keeps', () => {
  const hash = (n: number): string => String(n).padStart(64, '0');

  it('reach back by the minute, end with the newest, and survive a restart and a torn line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fleet-heads-'));
    const path = join(folder, 'audit-heads');
    const clock = new MovedClock(1_000_000_000_000);
    const open = async () => {
      const heads = new KeptHeads({ path, log: silentLogger(), nowMs: () => clock.nowMs(), keep: 5 });
      await heads.start();
      return heads;
    };
    try {
      const heads = await open();
      for (let n = 1; n <= 300; n++) {
        heads.told(BigInt(n), hash(n));
        heads.told(BigInt(n), hash(n));
        clock.advance(2_000);
      }
      heads.told(0n, '');
      const kept = heads.heads().map(({ sequence }) => Number(sequence));
      expect(kept).toHaveLength(5);
      expect(kept.at(-1)).toBe(300);
      expect((kept[1] as number) - (kept[0] as number)).toBe(30);
      await heads.stop();
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(readFileSync(path, 'utf8').split('\n').length).toBeLessThanOrEqual(11);
      writeFileSync(path, `${readFileSync(path, 'utf8')}301 00`);
      const again = await open();
      expect(again.heads().map(({ sequence }) => Number(sequence))).toEqual(kept);
      again.forget();
      await again.stop();
      expect(readFileSync(path, 'utf8')).toBe('');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
