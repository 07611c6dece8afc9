import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../../../controller/config.ts';
import { createLogger } from '../../../src/runtime/logger.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { RunningController } from '../../helpers/run-controller.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import type { SimulatedHost } from '../../helpers/simulated-host.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const logged: string[] = [];
const capturing = () =>
  createLogger({
    name: 'test',
    level: 'info',
    destination: new Writable({
      write: (chunk, _encoding, done) => {
        logged.push(String(chunk));
        done();
      },
    }),
  });
let cell: SimulatedCell;
let dragon: SimulatedHost;
let address: string;
let token: string;
const tokenFile = () => join(cell.controller.config.paths.state, 'controller/metrics-token');

beforeAll(async () => {
  cell = await SimulatedCell.start({ argv: ['--metrics-port', '0'], log: capturing() });
  dragon = await cell.host('dragon-lin', {
    calls: { pressKeys: async () => ({ ...OUTCOME, outcome: 'invented by a host' }) },
  });
  await cell.host('W-acme', { tenantId: 'acme' });
  token = (await readFile(tokenFile(), 'utf8')).trim();
  address = /"address":"(127\.0\.0\.1:\d+)".*metrics served/.exec(logged.join(''))?.[1] ?? '';
});

afterAll(() => cell.end());

const OUTCOME = {
  id: '',
  address: '',
  verb: 'keys',
  reason: '',
  actor: '',
  beganMs: 1,
  endedMs: 2,
  repeated: false,
};
const scrape = async (path = '/metrics', authorization = `Bearer ${token}`) =>
  await fetch(`http://${address}${path}`, { headers: { authorization } });
const lines = async (name: string): Promise<string[]> =>
  (await (await scrape()).text())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

it('counts agents, hosts, open calls and what became of orders, and names no agent', async () => {
  dragon.put(agentRow({ key: 'b', agent: 'a-secret-name', readiness: 'available' }));
  await until(async () => (await lines('fleet_agents')).length === 3, SOON);
  expect((await lines('fleet_agents')).sort()).toEqual([
    'fleet_agents{tenant="acme",host="W-acme",readiness="working"} 1',
    'fleet_agents{tenant="default",host="dragon-lin",readiness="available"} 1',
    'fleet_agents{tenant="default",host="dragon-lin",readiness="working"} 1',
  ]);
  expect((await lines('fleet_host_agents')).sort()).toEqual([
    'fleet_host_agents{tenant="acme",host="W-acme",link="connected"} 1',
    'fleet_host_agents{tenant="default",host="dragon-lin",link="connected"} 1',
  ]);
  expect(await lines('fleet_open_calls')).toContain('fleet_open_calls{method="Connect"} 2');
  const target = { hostAgent: dragon.id, key: 'a', paneId: '%1', panePid: 1 };
  const request = { id: 'o1', target, keys: ['Escape'], ifPrompt: '', blind: false, timeoutMs: 0 };
  await new Promise((resolve) => cell.as(dragon).pressKeys(request, resolve));
  expect(await lines('fleet_orders_total')).toEqual(['fleet_orders_total{verb="keys",outcome="other"} 1']);
  expect(await lines('fleet_audit_dropped')).toEqual(['fleet_audit_dropped 0']);
  expect(await lines('fleet_events_dropped')).toEqual(['fleet_events_dropped 0']);
  const [sequence = ''] = await lines('fleet_audit_sequence');
  expect(Number(sequence.split(' ')[1])).toBeGreaterThan(0);
  expect(await lines('fleet_controller_nodejs_eventloop_lag_seconds')).toHaveLength(1);
  expect(await (await scrape()).text()).not.toContain('a-secret-name');
});

it('tells nobody who cannot read what the controller keeps: the port is open to every account of the machine', async () => {
  expect((await stat(tokenFile())).mode & 0o777).toBe(0o600);
  for (const wrong of ['', 'Bearer ', `Bearer ${'0'.repeat(64)}`, `Basic ${token}`, token]) {
    const answer = await scrape('/metrics', wrong);
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toMatch(/acme|dragon-lin|fleet_/);
  }
  expect((await fetch(`http://${address}/metrics`)).status).toBe(401);
  expect((await scrape()).status).toBe(200);
});

it('has nothing else, and tells those who ask at once the same', async () => {
  expect((await scrape('/')).status).toBe(404);
  expect((await fetch(`http://${address}/metrics`, { method: 'POST' })).status).toBe(404);
  const texts = await Promise.all(Array.from({ length: 5 }, async () => (await scrape()).text()));
  expect(texts.every((text) => text.includes('fleet_agents{'))).toBe(true);
});

it('is off by default, and a port that is taken costs nothing but the figures', async () => {
  expect(readConfig(['--instance', 't'], {}).metricsPort).toBeNull();
  expect(readConfig(['--instance', 't'], { FLEET_METRICS_PORT: '9464' }).metricsPort).toBe(9_464);
  expect(() => readConfig(['--instance', 't', '--metrics-port', '70000'], {})).toThrow('metricsPort');
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  const other = await RunningController.start({ argv: ['--metrics-port', String(port)], log: capturing() });
  expect(logged.join('')).toContain('metrics not served');
  await other.remove();
  taken.close();
});
