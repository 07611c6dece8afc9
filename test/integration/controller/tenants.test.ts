import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteStore } from '../../../controller/store/sqlite-store.ts';
import {
  addTenant,
  allowVerbs,
  bindTenant,
  createToken,
  listTenants,
  removeTenant,
  unbindTenant,
} from '../../../src/cli/client/admin-methods.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { SimulatedHost } from '../../helpers/simulated-host.ts';

let cell: SimulatedCell;
beforeEach(async () => {
  cell = await SimulatedCell.start();
});
afterEach(() => cell?.end());

const add = (tenantId: string) => cell.controller.ask(addTenant, { tenantId });
const bind = (tenantId: string, host: string, user = 'u') => cell.controller.ask(bindTenant, { tenantId, host, user });
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
    const { tenants } = await cell.controller.ask(listTenants, {});
    expect(tenants.map(({ tenantId }) => tenantId)).toEqual(['default', 'acme']);
    expect(tenants[1]?.bindings).toEqual([
      { host: 'W-jarvis', user: 'u', enrolled: true },
      { host: 'dragon-lin', user: 'u', enrolled: false },
    ]);
    await expect(cell.controller.ask(removeTenant, { tenantId: 'acme' })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'tenant acme is in use: bound are W-jarvis/u, dragon-lin/u (fleet tenant unbind)',
    });
    for (const host of ['W-jarvis', 'dragon-lin']) await cell.controller.ask(unbindTenant, { host, user: 'u' });
    await cell.controller.ask(removeTenant, { tenantId: 'acme' });
    await expect(cell.controller.ask(removeTenant, { tenantId: 'acme' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(cell.controller.ask(removeTenant, { tenantId: 'default' })).rejects.toThrow('is always there');
  });

  it('is not made by being named: a token for one that is none is refused', async () => {
    const wish = { host: 'W-jarvis', user: 'u', tenantId: 'acmee', validSeconds: 60, replace: false };
    await expect(cell.controller.ask(createToken, wish)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'no tenant acmee: "fleet tenant add acmee" makes it',
    });
    await expect(bind('acmee', 'W-jarvis')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await add('acmee');
    const { token } = await cell.controller.ask(createToken, wish);
    await cell.controller.ask(removeTenant, { tenantId: 'acmee' });
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
    await cell.controller.ask(allowVerbs, { host: 'W-jarvis', user: '', verbs: ['send'] });
    expect(await bind('beta', 'W-jarvis')).toEqual({
      previousTenantId: 'acme',
      enrolled: true,
      withdrawnVerbs: ['send'],
    });
    expect(await tenantOf(host.id)).toBe('beta');
    expect(await bind('beta', 'W-jarvis')).toEqual({ previousTenantId: 'beta', enrolled: true, withdrawnVerbs: [] });
    expect(await cell.controller.ask(unbindTenant, { host: 'W-jarvis', user: 'u' })).toMatchObject({
      previousTenantId: 'beta',
    });
    expect(await tenantOf(host.id)).toBe('default');
    await expect(cell.controller.ask(unbindTenant, { host: 'W-jarvis', user: 'u' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(bind('beta', 'no host', 'u')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('outlives the controller, as does what a store from before there were tenants says', async () => {
    const host = await cell.away('W-jarvis', { tenantId: 'acme' });
    await cell.controller.stop();
    await forgetTenants();
    await cell.controller.begin();
    expect(await tenantOf(host.id)).toBe('acme');
    const { tenants } = await cell.controller.ask(listTenants, {});
    expect(tenants.find(({ tenantId }) => tenantId === 'acme')?.bindings).toHaveLength(1);
    await expect(cell.controller.token('W-jarvis', 'u', 'beta')).rejects.toThrow('is bound to tenant acme');
  });

  /** As a version left it that had no records of them. */
  const forgetTenants = async (): Promise<void> => {
    const store = new SqliteStore(join(cell.controller.config.paths.state, 'controller/controller.db'));
    store.start();
    const gone = [...(await store.list('tenant/', { limit: 9 })), ...(await store.list('binding/', { limit: 9 }))];
    expect(gone).toHaveLength(2);
    await store.commit({ remove: gone.map(({ key }) => key) });
    store.stop();
  };
});
