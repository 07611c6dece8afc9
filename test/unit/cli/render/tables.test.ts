import { describe, expect, test } from 'vitest';
import { agentsTable } from '../../../../src/cli/render/agents-table.ts';
import { hostsTable } from '../../../../src/cli/render/hosts-table.ts';
import { hostsJson } from '../../../../src/cli/render/json.ts';
import { agentsFooter, hostsFooter, localOnlyLine } from '../../../../src/cli/render/notes.ts';
import type { AgentRow } from '../../../../src/domain/agent-row.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { hostFacts } from '../../../helpers/host-agent.ts';
import { agents, DAY, dragon, jarvis, MINUTE, NOW, picture, rows, SECOND, unlimited } from './tables-ground.ts';

describe('the tables of the product page', () => {
  test('fleet ps', () => {
    expect(`${agents(picture())}\n${agentsFooter(picture())}`).toBe(
      `
    AGENT                 RUNS            STATE               FOR    HB   IDLE  FLAGS
  W-jarvis  this host
    canary-pi             stub (not pi)   working             2h     3s     4s  DRIFT BOOT-ENABLE
    dogfood-orchestrator  stub            available           41m    2s    46m  BOOT-ENABLE
    dogfood-reviewer      stub            stale: no beat      3m  3m12s    50m  BOOT-ENABLE
  dragon-lin  LOST 2m14s (silent); rows as last seen
  ~ coder0-0              node            was available       6m      -     6m  UNMANAGED
4 agents, 3 current · dragon-lin lost 2m14s: fleet doctor dragon-lin · cell home, as jarvis (operator)`.slice(1),
    );
  });

  test('fleet hosts', () => {
    expect(hostsTable(picture(), unlimited).join('\n')).toBe(
      `
  HOST        USER     LINK       HEARD  AGENTS  NEED  VERSION  VIA   CONTROL    CERT  SKEW  WARN
  W-jarvis *  jarvis   connected     1s       5     0  1.0.0    dial  deploy       5d    0s  4 BOOT-ENABLE
  dragon-lin  jwoltje  LOST       2m14s      1?    0?  1.0.0    ssh   lifecycle    2d  +41s  silent`.slice(1),
    );
    expect(hostsFooter(picture())).toContain('2 host-agents, 1 connected · dragon-lin lost 2m14s');
  });

  test('a host that is behind', () => {
    const waits = { state: 'waiting', reason: '', ageMs: 5 * MINUTE, expiresInMs: DAY - 5 * MINUTE };
    const stopped = { state: 'stopped', reason: 'step 1, the roster, ended refused', ageMs: DAY, expiresInMs: null };
    const hosts = [
      { ...jarvis, behind: stopped },
      { ...dragon, behind: waits },
    ];
    const table = hostsTable(picture(hosts), unlimited);
    expect(table[1]).toMatch(/ roster of 1d ago stopped: step 1, the roster, ended refused, 4 BOOT-ENABLE$/);
    expect(table[2]).toMatch(/ silent, roster of 5m ago waits, 23h55m left$/);
    const lines = agents(picture(hosts)).split('\n');
    expect(lines).toContain('  W-jarvis  this host  behind: roster of 1d ago stopped');
    const away = 'dragon-lin  LOST 2m14s (silent); rows as last seen';
    expect(lines).toContain(`  ${away}  behind: roster of 5m ago waits, 23h55m left`);
    const expired = { ...waits, state: 'expired', reason: '0 of 3 steps were given in its time', expiresInMs: null };
    expect(hostsTable(picture([{ ...dragon, behind: expired }]), unlimited)[1]).toMatch(
      / roster of 5m ago expired: 0 of 3 steps were given in its time$/,
    );
    const running = { ...dragon, behind: { ...waits, state: 'running' } };
    expect(hostsTable(picture([running]), unlimited)[1]).toMatch(/ roster of 5m ago is under way, 23h55m left$/);
  });

  test('the first line without the controller', () => {
    const upstream = {
      state: 'unreachable',
      address: 'W-jarvis:7443',
      reason: 'refused',
      ageMs: 40 * SECOND,
      peers: [],
    };
    const cut = picture([jarvis], [], { upstream });
    expect(localOnlyLine(cut)).toBe('LOCAL ONLY: controller W-jarvis:7443 unreachable 40s (refused)');
    expect(cut.complete).toBe(false);
    expect(localOnlyLine(picture([jarvis], [], { upstream, localOnly: true }))).toBeNull();
  });
});

test('this host comes first whatever its name, then hosts by name; roster order, then unmanaged by name', () => {
  const zoo = { ...jarvis, id: 'zoo/u', host: 'zoo', user: 'u' };
  const mixed: [string, AgentRow][] = [
    ['zoo/u', agentRow({ key: '4', agent: 'b-unmanaged', managed: false })],
    ['zoo/u', agentRow({ key: '3', agent: 'a-unmanaged', managed: false })],
    ['zoo/u', agentRow({ key: '2', agent: 'second', order: 1 })],
    ['zoo/u', agentRow({ key: '1', agent: 'zfirst', order: 0 })],
  ];
  const lines = agentsTable(picture([dragon, { ...jarvis, here: false }, zoo], mixed), unlimited);
  expect(lines.map((line) => line.trim().split(' ')[0])).toEqual([
    'AGENT',
    'zoo',
    'zfirst',
    'second',
    'a-unmanaged',
    'b-unmanaged',
    'W-jarvis',
    'dragon-lin',
  ]);
});

test('a peer’s host says when it was heard, though its peer tells of no version; one that never was says nothing', () => {
  const silent = { version: '', control: '', via: null, machineId: '', certificateNotAfterMs: null };
  const theirs = { ...dragon, id: 'partner/dragon-lin/u', cell: 'partner', facts: hostFacts({ ...silent, agents: 2 }) };
  const never = { ...dragon, id: 'new/u', host: 'new', facts: null };
  const [, ...lines] = hostsTable(picture([theirs, never], []), unlimited);
  expect(lines.find((line) => line.includes('partner'))).toContain(' 2m14s ');
  expect(lines.find((line) => line.includes('new'))).not.toContain('2m14s');
});

test('a host with nothing on it differs from one that is off', () => {
  const off = { ...dragon, link: { state: 'lost', reason: null, ageMs: 5 * DAY } };
  expect(agents(picture([jarvis, off], []))).toBe(
    '  W-jarvis  this host  no agents\n  dragon-lin  LOST 5d; no rows known',
  );
});

test.each([
  ['resuming', 'stream_closed', 'dragon-lin  resuming 3s (stream closed); rows as last seen'],
  ['unconfirmed', 'controller_started', 'dragon-lin  unconfirmed 3s (controller started); rows as last seen'],
  ['quarantined', 'of_tomorrow', 'dragon-lin  quarantined 3s (of tomorrow); rows as last seen'],
])('a link that is %s says so in words', (state, reason, words) => {
  const host = { ...dragon, link: { state, reason, ageMs: 3 * SECOND } };
  expect(agents(picture([host], rows.slice(3)))).toContain(`\n  ${words}\n`);
});

test('two users of one host stand under their own names', () => {
  const other = { ...jarvis, id: 'W-jarvis/ops', user: 'ops', here: false };
  expect(agents(picture([other, jarvis], []))).toBe(
    '  W-jarvis/jarvis  this host  no agents\n  W-jarvis/ops  this host  no agents',
  );
});

test('a machine of several tenants is one host to whoever sees them all, and its own part to each of them', () => {
  const acme = { id: 'W-jarvis/acme', user: 'acme', tenantId: 'acme' };
  const theirs = { ...jarvis, ...acme, here: false, facts: hostFacts({ hostNowMs: NOW, agents: 2 }) };
  const early = { ...dragon, id: 'A-lin/jwoltje', host: 'A-lin' };
  const all = picture([early, theirs, jarvis], []);
  expect(hostsTable(all, unlimited).map((line) => line.slice(0, 42).trimEnd())).toEqual([
    '  HOST        USER     TENANT   LINK',
    '  W-jarvis *  jarvis   default  connected',
    '              acme     acme     connected',
    '  A-lin       jwoltje  default  LOST',
  ]);
  expect(hostsFooter(all)).toContain('2 hosts, 3 host-agents, 2 connected');
  expect(agents(all).split('\n').slice(0, 2)).toEqual([
    '  W-jarvis/jarvis  this host  tenant default  no agents',
    '  W-jarvis/acme  this host  tenant acme  no agents',
  ]);
  const { hosts } = JSON.parse([...hostsJson(all)].join('')) as { hosts: { host: string; host_agents: unknown[] }[] };
  expect(hosts.map(({ host, host_agents }) => [host, host_agents.length])).toEqual([
    ['W-jarvis', 2],
    ['A-lin', 1],
  ]);
  const own = picture([jarvis], []);
  expect(hostsTable(own, unlimited)[0]).not.toContain('TENANT');
  expect(agents(own)).toBe('  W-jarvis  this host  no agents');
});

test('a host in quarantine says so in place of what it would let others do', () => {
  const host = { ...jarvis, quarantined: true };
  const [, line = ''] = hostsTable(picture([host]), unlimited);
  expect(line).toMatch(/ dial {2}quarantined {2}.* in quarantine, 4 BOOT-ENABLE$/);
  expect(line).not.toContain('deploy');
  expect(agents(picture([host], []))).toBe('  W-jarvis  this host  QUARANTINED  no agents');
  expect(hostsJson(picture([host])).next().value).toContain('"quarantined":true');
  expect(hostsJson(picture([jarvis])).next().value).toContain('"quarantined":false');
});

test('a filter by state shows current rows only and says how many there are', () => {
  const available = picture([jarvis, dragon], rows, { filter: { states: ['available'] } });
  expect(
    agents(available)
      .split('\n')
      .map((line) => line.trim().split(' ')[0]),
  ).toEqual(['AGENT', 'W-jarvis', 'dogfood-orchestrator']);
  expect(agentsFooter(available)).toMatch(/^1 of 4 agents, 1 current · dragon-lin lost/);
});

test('a view is complete only when every host in scope answers', () => {
  expect(picture().complete).toBe(false);
  expect(picture([jarvis, dragon], rows, { filter: { hosts: ['W-jarvis'] } }).complete).toBe(true);
  expect(picture([jarvis], []).complete).toBe(true);
});
