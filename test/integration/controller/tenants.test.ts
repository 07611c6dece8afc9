import { type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addTenant,
  allowVerbs,
  bindTenant,
  listTenants,
  quarantineHost,
  removeTenant,
  unbindTenant,
} from '../../../src/cli/client/admin-methods.ts';
import type { Method } from '../../../src/cli/client/grpc-channel.ts';
import { aborted } from '../../../src/runtime/aborted.ts';
import type { Event } from '../../../src/wire/gen/fleet/v1/events.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { HoldTerminalResponse, OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import type { WatchAgentsResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const DEADLINE = { deadlineMs: 5_000 };
let cell: SimulatedCell;
beforeEach(async () => {
  cell = await SimulatedCell.start();
});
afterEach(() => cell?.end());

const ask = <Q, S>(method: Method<Q, S>, request: Q): Promise<S> =>
  cell.controller.admin((channel) => channel.unary(method, request, DEADLINE));
const add = (tenantId: string) => ask(addTenant, { tenantId });
const bind = (tenantId: string, host: string, user = 'u') => ask(bindTenant, { tenantId, host, user });
const tenantOf = async (id: string): Promise<string | undefined> =>
  (await cell.controller.view()).momentOf(id, 0)?.host.tenantId;

describe('a tenant', () => {
  it('is made once, listed with what is its own, and removed when nobody belongs to it', async () => {
    expect(await add('acme')).toEqual({ added: true });
    expect(await add('acme')).toEqual({ added: false });
    expect(await add('default')).toEqual({ added: false });
    await expect(add('a/b')).rejects.toThrow('tenant "a/b": use 1 to 64 of');
    await bind('acme', 'dragon-lin');
    await cell.away('W-jarvis', { tenantId: 'acme' });
    const { tenants } = await ask(listTenants, {});
    expect(tenants.map(({ tenantId }) => tenantId)).toEqual(['default', 'acme']);
    expect(tenants[1]?.bindings).toEqual([
      { host: 'W-jarvis', user: 'u', enrolled: true },
      { host: 'dragon-lin', user: 'u', enrolled: false },
    ]);
    await expect(ask(removeTenant, { tenantId: 'acme' })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'tenant acme is in use: bound are W-jarvis/u, dragon-lin/u (fleet tenant unbind)',
    });
    for (const host of ['W-jarvis', 'dragon-lin']) await ask(unbindTenant, { host, user: 'u' });
    await ask(removeTenant, { tenantId: 'acme' });
    await expect(ask(removeTenant, { tenantId: 'acme' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(ask(removeTenant, { tenantId: 'default' })).rejects.toThrow('is always there');
  });

  it('is not made by being named: a token for one that is none is refused', async () => {
    const wish = { host: 'W-jarvis', user: 'u', tenantId: 'acmee', validSeconds: 60, replace: false };
    const { createToken } = await import('../../../src/cli/client/admin-methods.ts');
    await expect(ask(createToken, wish)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'no tenant acmee: "fleet tenant add acmee" makes it',
    });
    await expect(bind('acmee', 'W-jarvis')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await add('acmee');
    const { token } = await ask(createToken, wish);
    await ask(removeTenant, { tenantId: 'acmee' });
    const { SimulatedHost } = await import('../../helpers/simulated-host.ts');
    const enrolled = SimulatedHost.enrol({ folder: cell.controller.folder, token, host: 'W-jarvis' });
    await expect(enrolled).rejects.toThrow('the token is not accepted');
  });
});

describe('a binding', () => {
  it('made before its host-agent is enrolled is used then, and a token for another tenant is refused', async () => {
    await add('acme');
    await add('beta');
    expect(await bind('acme', 'W-jarvis')).toEqual({
      previousTenantId: 'default',
      enrolled: false,
      withdrawnVerbs: [],
    });
    await expect(cell.controller.token('W-jarvis', 'u', 'beta')).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'W-jarvis/u is bound to tenant acme: "fleet tenant bind beta W-jarvis/u" moves it',
    });
    const host = await cell.away('W-jarvis');
    expect(host.view.hostAgent(host.id)?.tenantId).toBe('acme');
    await cell.removeHost('W-jarvis');
    const again = await cell.away('W-jarvis', { folder: cell.elsewhere });
    expect(again.view.hostAgent(again.id)?.tenantId).toBe('default');
  });

  it('that changes moves what is there at once, and withdraws what its callers were allowed elsewhere', async () => {
    const host = await cell.host('W-jarvis', { tenantId: 'acme' });
    await add('beta');
    await ask(allowVerbs, { host: 'W-jarvis', user: '', verbs: ['send'] });
    expect(await bind('beta', 'W-jarvis')).toEqual({
      previousTenantId: 'acme',
      enrolled: true,
      withdrawnVerbs: ['send'],
    });
    expect(await tenantOf(host.id)).toBe('beta');
    expect(await bind('beta', 'W-jarvis')).toEqual({ previousTenantId: 'beta', enrolled: true, withdrawnVerbs: [] });
    expect(await ask(unbindTenant, { host: 'W-jarvis', user: 'u' })).toMatchObject({ previousTenantId: 'beta' });
    expect(await tenantOf(host.id)).toBe('default');
    await expect(ask(unbindTenant, { host: 'W-jarvis', user: 'u' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(bind('beta', 'no host', 'u')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('outlives the controller, as does what a store from before there were tenants says', async () => {
    const host = await cell.away('W-jarvis', { tenantId: 'acme' });
    await cell.controller.stop();
    await forgetTenants();
    await cell.controller.begin();
    expect(await tenantOf(host.id)).toBe('acme');
    const { tenants } = await ask(listTenants, {});
    expect(tenants.find(({ tenantId }) => tenantId === 'acme')?.bindings).toHaveLength(1);
    await expect(cell.controller.token('W-jarvis', 'u', 'beta')).rejects.toThrow('is bound to tenant acme');
  });

  /** As a version left it that had no records of them. */
  const forgetTenants = async (): Promise<void> => {
    const { join } = await import('node:path');
    const { SqliteStore } = await import('../../../controller/store/sqlite-store.ts');
    const store = new SqliteStore(join(cell.controller.config.paths.state, 'controller/controller.db'));
    store.start();
    const gone = [...(await store.list('tenant/', { limit: 9 })), ...(await store.list('binding/', { limit: 9 }))];
    expect(gone).toHaveLength(2);
    await store.commit({ remove: gone.map(({ key }) => key) });
    store.stop();
  };
});

/** What a caller is shown, kept up over whatever ends its stream. */
class Shown {
  readonly ids = new Set<string>();
  readonly removed: string[] = [];
  opened = 0;
  end: ServiceError | null = null;
  readonly cancel: () => void;

  constructor(client: FleetServiceClient) {
    const call = client.watchAgents({ follow: true, resumeToken: '', localOnly: false, hostsOnly: false });
    call.on('error', (error: ServiceError) => {
      this.end = error;
    });
    call.on('data', ({ opened, changes }: WatchAgentsResponse) => {
      if (opened) this.opened += 1;
      for (const { id } of changes?.hostAgents ?? []) this.ids.add(id);
      for (const id of changes?.removedHostAgents ?? []) {
        this.ids.delete(id);
        this.removed.push(id);
      }
    });
    this.cancel = () => call.cancel();
  }
}

describe('a host-agent that is bound to another tenant', () => {
  it('leaves those who saw it, comes to the others, is cut from what it saw, and knows by itself', async () => {
    const mover = await cell.host('W-mover', { tenantId: 'acme' });
    const acme = await cell.host('W-acme', { tenantId: 'acme' });
    const beta = await cell.host('W-beta', { tenantId: 'beta' });
    const [ofAcme, ofBeta, ofMover] = [acme, beta, mover].map((host) => new Shown(cell.as(host)));
    await until(() => ofAcme?.ids.size === 2 && ofBeta?.ids.size === 1 && ofMover?.ids.size === 2, SOON);
    await bind('beta', 'W-mover');
    await until(() => ofAcme?.ids.has(mover.id) === false && ofBeta?.ids.has(mover.id) === true, SOON);
    expect(ofAcme).toMatchObject({ removed: [mover.id], opened: 1, end: null });
    expect(ofBeta).toMatchObject({ removed: [], opened: 1, end: null });
    await until(() => ofMover?.end !== null, SOON);
    expect(ofMover?.end).toMatchObject({ code: status.UNAVAILABLE });
    await until(async () => (await cell.controller.link(mover.id)) === 'connected null', SOON);
    await until(() => mover.uplink.channel !== null, SOON);
    const now = new Shown(cell.as(mover));
    await until(() => now.ids.size === 2, SOON);
    expect([...now.ids].sort()).toEqual([beta.id, mover.id]);
    for (const shown of [ofAcme, ofBeta, now]) shown?.cancel();
  });

  it('has no watcher left of the old one, and what happens to it is the new one’s', async () => {
    const open = { tails: 0 };
    const mover = await cell.host('W-mover', {
      tenantId: 'acme',
      calls: {
        tailTerminal: async (_request, _sink, { signal }) => {
          open.tails += 1;
          await aborted(signal);
          open.tails -= 1;
        },
      },
    });
    const acme = cell.as(await cell.host('W-acme', { tenantId: 'acme' }));
    const beta = cell.as(await cell.host('W-beta', { tenantId: 'beta' }));
    const tail = acme.tailTerminal({ hostAgent: mover.id, key: 'a', lines: 1, follow: true, lastRun: 0 });
    const tailed = new Promise<ServiceError>((resolve) => tail.on('error', resolve));
    tail.resume();
    await until(() => open.tails === 1, SOON);
    const events: Event[][] = [acme, beta].map((client) => {
      const got: Event[] = [];
      client
        .watchEvents({ follow: true, afterRevision: 0n, sinceMs: 0, hosts: ['W-mover'] })
        .on('data', (message: { events: Event[] }) => got.push(...message.events))
        .on('error', () => {});
      return got;
    });
    await bind('beta', 'W-mover');
    expect(await tailed).toMatchObject({ code: status.NOT_FOUND, details: 'no such agent: see "fleet ps"' });
    await until(() => open.tails === 0, SOON);
    await until(async () => (await cell.controller.link(mover.id)) === 'connected null', SOON);
    mover.put(agentRow({ key: 'a', agent: 'coder0-0', readiness: 'available' }));
    await until(() => events[1]?.some(({ kind }) => kind === 'waiting') === true, SOON);
    expect(events[1]?.every(({ tenantId }) => tenantId === 'beta')).toBe(true);
    expect(events[0]).toEqual([]);
  });

  it('says so in its own rows, also when no controller is there and after its own start', async () => {
    const agent = await RunningHostAgent.start('W-real');
    try {
      const { user } = agent.config;
      await agent.join(await cell.controller.token('W-real', user, 'acme'));
      const other = await cell.host('W-acme', { tenantId: 'acme' });
      const tenants = async (localOnly: boolean): Promise<string[]> => {
        const mirror = await agent.view({ localOnly });
        return [...mirror.hostAgentIds()].map((id) => `${id} ${mirror.momentOf(id, 0)?.host.tenantId}`).sort();
      };
      await until(async () => (await tenants(false)).length === 2, SOON);
      await add('beta');
      await bind('beta', 'W-real', user);
      const own = `W-real/${user} beta`;
      await until(async () => (await tenants(true)).join() === own, SOON);
      await until(async () => (await tenants(false)).join() === own, SOON);
      await cell.controller.stop();
      expect(await tenants(false)).toEqual([own]);
      await agent.stop();
      await agent.begin();
      expect(await tenants(false)).toEqual([own]);
      expect(JSON.stringify(await tenants(false))).not.toContain(other.id);
    } finally {
      await agent.remove();
    }
  });
});

describe('a host in quarantine', () => {
  const quarantine = (host: string, lift = false) => ask(quarantineHost, { host, user: '', lift });
  const target = (hostAgent: string) => ({ hostAgent, key: 'a', paneId: '%1', panePid: 1 });
  const keys = (client: FleetServiceClient, hostAgent: string): Promise<OrderOutcome> =>
    unary<OrderOutcome>((done) =>
      client.pressKeys(
        {
          id: crypto.randomUUID(),
          target: target(hostAgent),
          keys: ['Escape'],
          ifPrompt: '',
          blind: false,
          timeoutMs: 0,
        },
        done,
      ),
    );

  it('reports on, and may ask nothing: what its callers have open is cut, and what they ask is refused in plain words', async () => {
    const bad = await cell.host('W-bad');
    const good = await cell.host('W-good');
    const shown = new Shown(cell.as(bad));
    await until(() => shown.ids.size === 2, SOON);
    expect(await quarantine('W-bad')).toEqual({ hostAgents: ['W-bad/u'], changed: ['W-bad/u'] });
    expect(await quarantine('W-bad')).toEqual({ hostAgents: ['W-bad/u'], changed: [] });
    await until(() => shown.end !== null, SOON);
    const words =
      'W-bad is in quarantine: it may report and ask nothing; an administrator lifts it with "fleet host quarantine W-bad --lift"';
    expect(shown.end).toMatchObject({ code: status.FAILED_PRECONDITION, details: words });
    for (const refused of [keys(cell.as(bad), bad.id), keys(cell.as(bad), good.id)]) {
      expect(await failureOf(refused)).toMatchObject({ code: status.FAILED_PRECONDITION, details: words });
    }
    const again = new Shown(cell.as(bad));
    await until(() => again.end !== null, SOON);
    expect(again.ids.size).toBe(0);
    bad.put(agentRow({ key: 'b', agent: 'later' }));
    await until(async () => [...(await cell.controller.view()).rowsOf(bad.id)].length === 2, SOON);
    expect(await cell.controller.link(bad.id)).toBe('connected null');
    expect((await cell.controller.view()).momentOf(bad.id, 0)?.host.quarantined).toBe(true);
    await quarantine('W-bad', true);
    const lifted = new Shown(cell.as(bad));
    await until(() => lifted.ids.size === 2, SOON);
    lifted.cancel();
    await expect(quarantine('W-none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('takes no orders from anybody, and gives back the keyboard that somebody holds there', async () => {
    let typed = 0;
    let holds = 0;
    const bad = await cell.host('W-bad', {
      calls: {
        pressKeys: async () => {
          typed += 1;
          throw new Error('not reached');
        },
        holdTerminal: async (_request, sink, { signal }) => {
          holds += 1;
          sink.write({ granted: { lease: 'l', idleLimitMs: 1, displaced: '' } });
          await aborted(signal);
          holds -= 1;
        },
        explainAgent: async () => ({
          readiness: 'working',
          reason: '',
          reasonCode: '',
          evidence: [],
          prompt: undefined,
          rules: '',
        }),
      },
    });
    const admin = cell.admin();
    const held = admin.holdTerminal({ id: 'h', target: target(bad.id), takeover: false, width: 0, height: 0 });
    const ended = new Promise<ServiceError>((resolve) => held.on('error', resolve));
    await new Promise<HoldTerminalResponse>((resolve) => held.once('data', resolve));
    await quarantine('W-bad');
    const words =
      'W-bad/u is in quarantine: it takes no orders; an administrator lifts it with "fleet host quarantine W-bad --lift"';
    expect(await ended).toMatchObject({ code: status.FAILED_PRECONDITION, details: words });
    await until(() => holds === 0, SOON);
    const control = { force: false, timeoutMs: 0, rosterDigest: '', adopt: false, migrate: false, purge: false };
    const orders: Record<string, (done: (error: ServiceError | null, answer: unknown) => void) => unknown> = {
      control: (done) => admin.controlAgent({ ...control, id: 'c', target: target(bad.id), action: 'restart' }, done),
      deploy: (done) => admin.controlAgent({ ...control, id: 'd', target: target(bad.id), action: 'deploy' }, done),
      roster: (done) =>
        admin.putRoster({ id: 'r', hostAgent: bad.id, text: '', expectedDigest: '', force: false, timeoutMs: 0 }, done),
      intent: (done) =>
        admin.putIntent(
          {
            id: 'i',
            hostAgent: bad.id,
            expiresMs: 0,
            steps: [
              {
                putRoster: { id: 'p', hostAgent: bad.id, text: '', expectedDigest: '', force: false, timeoutMs: 0 },
                controlAgent: undefined,
              },
            ],
          },
          done,
        ),
      type: (done) => admin.typeKeys({ target: target(bad.id), lease: 'l', sequence: 1n, strokes: [] }, done),
    };
    for (const order of Object.values(orders)) {
      expect(await failureOf(unary(order))).toMatchObject({ code: status.FAILED_PRECONDITION, details: words });
    }
    expect(await failureOf(keys(admin, bad.id))).toMatchObject({ details: words });
    expect(typed).toBe(0);
    // It can still be looked into.
    await unary((done) => admin.explainAgent({ hostAgent: bad.id, key: 'a' }, done));
  });

  it('stays in it over a restart of the controller and a new enrolment', async () => {
    const bad = await cell.host('W-bad');
    await quarantine('W-bad');
    await cell.controller.stop();
    await cell.controller.begin();
    await until(async () => (await cell.controller.link(bad.id)) === 'connected null', SOON);
    await bad.stop();
    const again = await cell.host('W-bad', { folder: cell.elsewhere });
    expect(await failureOf(keys(cell.as(again), again.id))).toMatchObject({ code: status.FAILED_PRECONDITION });
  });
});
