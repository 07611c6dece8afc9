import { type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addTenant, bindTenant } from '../../../src/cli/client/admin-methods.ts';
import { aborted } from '../../../src/runtime/aborted.ts';
import type { Event } from '../../../src/wire/gen/fleet/v1/events.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { ShownHosts } from '../../helpers/shown-hosts.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
let cell: SimulatedCell;
beforeEach(async () => {
  cell = await SimulatedCell.start();
});
afterEach(() => cell?.end());

const add = (tenantId: string) => cell.controller.ask(addTenant, { tenantId });
const bind = (tenantId: string, host: string, user = 'u') => cell.controller.ask(bindTenant, { tenantId, host, user });

describe('a host-agent that is bound to another tenant', () => {
  it('leaves those who saw it, comes to the others, is cut from what it saw, and knows by itself', async () => {
    const mover = await cell.host('W-mover', { tenantId: 'acme' });
    const acme = await cell.host('W-acme', { tenantId: 'acme' });
    const beta = await cell.host('W-beta', { tenantId: 'beta' });
    const [ofAcme, ofBeta, ofMover] = [acme, beta, mover].map((host) => new ShownHosts(cell.as(host)));
    await until(() => ofAcme?.ids.size === 2 && ofBeta?.ids.size === 1 && ofMover?.ids.size === 2, SOON);
    await bind('beta', 'W-mover');
    await until(() => ofAcme?.ids.has(mover.id) === false && ofBeta?.ids.has(mover.id) === true, SOON);
    expect(ofAcme).toMatchObject({ removed: [mover.id], opened: 1, end: null });
    expect(ofBeta).toMatchObject({ removed: [], opened: 1, end: null });
    await until(() => ofMover?.end !== null, SOON);
    expect(ofMover?.end).toMatchObject({ code: status.UNAVAILABLE });
    await until(async () => (await cell.controller.link(mover.id)) === 'connected null', SOON);
    await until(() => mover.uplink.channel !== null, SOON);
    const now = new ShownHosts(cell.as(mover));
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
