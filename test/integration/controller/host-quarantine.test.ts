import { type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { quarantineHost } from '../../../src/cli/client/admin-methods.ts';
import { aborted } from '../../../src/runtime/aborted.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { HoldTerminalResponse, OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { ShownHosts } from '../../helpers/shown-hosts.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
let cell: SimulatedCell;
beforeEach(async () => {
  cell = await SimulatedCell.start();
});
afterEach(() => cell?.end());

describe('a host in quarantine', () => {
  const quarantine = (host: string, lift = false) => cell.controller.ask(quarantineHost, { host, user: '', lift });
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
    const shown = new ShownHosts(cell.as(bad));
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
    const again = new ShownHosts(cell.as(bad));
    await until(() => again.end !== null, SOON);
    expect(again.ids.size).toBe(0);
    bad.put(agentRow({ key: 'b', agent: 'later' }));
    await until(async () => [...(await cell.controller.view()).rowsOf(bad.id)].length === 2, SOON);
    expect(await cell.controller.link(bad.id)).toBe('connected null');
    expect((await cell.controller.view()).momentOf(bad.id, 0)?.host.quarantined).toBe(true);
    await quarantine('W-bad', true);
    const lifted = new ShownHosts(cell.as(bad));
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
