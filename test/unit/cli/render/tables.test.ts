import { describe, expect, test } from 'vitest';
import { type Picture, takePicture } from '../../../../src/cli/picture.ts';
import { agentsTable } from '../../../../src/cli/render/agents-table.ts';
import { hostsTable } from '../../../../src/cli/render/hosts-table.ts';
import { hostsJson } from '../../../../src/cli/render/json.ts';
import { agentsFooter, hostsFooter, localOnlyLine } from '../../../../src/cli/render/notes.ts';
import { coloured, plain } from '../../../../src/cli/render/paint.ts';
import { EVERYTHING } from '../../../../src/domain/agent-filter.ts';
import type { AgentRow } from '../../../../src/domain/agent-row.ts';
import { textWidth } from '../../../../src/domain/clean-text.ts';
import type { HostAgent } from '../../../../src/domain/host-agent.ts';
import type { Upstream } from '../../../../src/wire/gen/fleet/v1/view.ts';
import { agentRow, tmuxFacts } from '../../../helpers/agent-row.ts';
import { mirrorOf } from '../../../helpers/fleet-mirror.ts';
import { hostAgent, hostFacts } from '../../../helpers/host-agent.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const jarvis = hostAgent({
  here: true,
  heardAgeMs: SECOND,
  facts: hostFacts({
    hostNowMs: NOW - SECOND,
    agents: 5,
    via: 'dial',
    control: 'deploy',
    certificateNotAfterMs: NOW + 5 * DAY + HOUR,
    warnings: ['4 BOOT-ENABLE'],
  }),
});
const dragon = hostAgent({
  id: 'dragon-lin/jwoltje',
  host: 'dragon-lin',
  user: 'jwoltje',
  link: { state: 'lost', reason: 'silent', ageMs: 134 * SECOND },
  heardAgeMs: 134 * SECOND,
  clockSkewMs: 41 * SECOND,
  facts: hostFacts({ hostNowMs: NOW, agents: 1, via: 'ssh', certificateNotAfterMs: NOW + 2 * DAY + HOUR }),
});

const beat = (ageMs: number, state = 'healthy') => ({
  state,
  tsMs: NOW - ageMs,
  status: 'ok',
  pid: 1,
  source: 'native',
});
const rows: [string, AgentRow][] = [
  [
    jarvis.id,
    agentRow({
      role: null,
      runtimeSeen: 'stub',
      stateSinceMs: NOW - 2 * HOUR,
      heartbeat: beat(3 * SECOND),
      lastOutputMs: NOW - 4 * SECOND,
      flags: ['DRIFT', 'BOOT-ENABLE'],
    }),
  ],
  [
    jarvis.id,
    agentRow({
      key: 'o',
      agent: 'dogfood-orchestrator',
      role: null,
      runtimeSeen: 'stub',
      readiness: 'available',
      stateSinceMs: NOW - 41 * MINUTE,
      heartbeat: beat(2 * SECOND),
      lastOutputMs: NOW - 46 * MINUTE,
      flags: ['BOOT-ENABLE'],
      order: 1,
    }),
  ],
  [
    jarvis.id,
    agentRow({
      key: 'r',
      agent: 'dogfood-reviewer',
      role: null,
      runtimeSeen: 'stub',
      readiness: 'stale',
      reason: 'no beat',
      stateSinceMs: NOW - 3 * MINUTE,
      heartbeat: beat(192 * SECOND, 'stale'),
      lastOutputMs: NOW - 50 * MINUTE,
      flags: ['BOOT-ENABLE'],
      order: 2,
    }),
  ],
  [
    dragon.id,
    agentRow({
      key: 'c',
      agent: 'coder0-0',
      managed: false,
      source: 'socket',
      role: null,
      runtime: null,
      runtimeSeen: null,
      tmux: tmuxFacts({ command: 'node' }),
      readiness: 'available',
      stateSinceMs: NOW - 6 * MINUTE,
      lastOutputMs: NOW - 6 * MINUTE,
      flags: ['UNMANAGED'],
    }),
  ],
];

const picture = (
  hosts: HostAgent[] = [jarvis, dragon],
  held: [string, AgentRow][] = rows,
  more: { upstream?: Upstream; filter?: Partial<typeof EVERYTHING>; localOnly?: boolean } = {},
): Picture =>
  takePicture(mirrorOf(hosts, held, more.upstream), 0, {
    filter: { ...EVERYTHING, ...more.filter },
    localOnly: more.localOnly ?? false,
    compare: null,
  });

const unlimited = { width: Number.POSITIVE_INFINITY, wide: false, paint: plain };
const agents = (from: Picture, options: Partial<typeof unlimited> = {}): string =>
  agentsTable(from, { ...unlimited, ...options }).join('\n');

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

test('one marker tells it without colour: not current, dead, needs a person', () => {
  const attention = { id: 'a', need: 'question', sinceMs: null, rule: 'r', summary: 's' };
  const held: [string, AgentRow][] = [
    [jarvis.id, agentRow({ key: '1', agent: 'asks', attention, readiness: 'stuck', reason: 'question' })],
    [jarvis.id, agentRow({ key: '2', agent: 'gone', readiness: 'dead', reason: 'exit 1', order: 1 })],
    [dragon.id, agentRow({ key: '3', agent: 'then', attention })],
  ];
  const text = agents(picture([jarvis, dragon], held));
  expect(text).toContain('  ! asks   pi              stuck: question');
  expect(text).toContain('  x gone   pi              dead: exit 1');
  expect(text).toContain('  ~ then   pi              was working');
  expect(agentsFooter(picture([jarvis, dragon], held))).toContain('3 agents, 2 current · 1 needs you: fleet next');
});

test('a column that nobody fills is left out', () => {
  const bare: [string, AgentRow][] = [[jarvis.id, agentRow({ agent: 'solo' })]];
  expect(agents(picture([jarvis], bare)).split('\n')[0]).toBe('    AGENT  RUNS            STATE');
});

test('on a narrow terminal names are cut in the middle, columns go, and no flag is ever cut', () => {
  for (const width of [90, 80, 70, 60, 50, 40]) {
    const lines = agentsTable(picture(), { ...unlimited, width });
    expect(lines.join('\n')).toContain('DRIFT BOOT-ENABLE');
    for (const line of lines.filter((_, index) => index !== 1 && index !== 5)) {
      expect(textWidth(line)).toBeLessThanOrEqual(width);
    }
  }
  expect(agents(picture(), { width: 84 })).toContain('    dogfood…trator ');
});

test('names show in the form that can be typed back', () => {
  const held: [string, AgentRow][] = [[jarvis.id, agentRow({ agent: 'a/b c%\n日本' })]];
  expect(agents(picture([jarvis], held))).toContain('    a%2Fb%20c%25%0A日本 ');
});

test('a wide terminal adds columns before the flags', () => {
  const held: [string, AgentRow][] = [
    [
      jarvis.id,
      agentRow({ rssBytes: 123_456_789, startedMs: NOW - HOUR, tmux: tmuxFacts({ cwd: '/src' }), flags: ['DRIFT'] }),
    ],
  ];
  expect(agents(picture([jarvis], held), { width: 200 }).split('\n')[0]).toMatch(/ROLE +UP +RSS +CWD +USER +FLAGS$/);
  expect(agents(picture([jarvis], held), { width: 60 })).not.toContain('CWD');
  expect(agents(picture([jarvis], held), { wide: true })).toContain('123M');
  expect(agents(picture([jarvis], held))).not.toContain('ROLE');
});

test('names of hosts and agents reach the terminal only cleaned, and wide ones keep the columns straight', () => {
  const evil = { ...jarvis, id: 'e\x1b[2J/u', host: 'e\x1b[2J\u202e', user: 'u' };
  const held: [string, AgentRow][] = [
    [evil.id, agentRow({ key: '1', agent: 'x\n\x1b]0;owned\x07y', reason: '\x9b31m', readiness: 'stuck' })],
    [evil.id, agentRow({ key: '2', agent: '日本🚀', order: 1, flags: ['\x1b[5m'] })],
  ];
  const text = `${agents(picture([evil], held))}\n${agentsFooter(picture([evil], held))}\n${hostsTable(picture([evil], held), unlimited).join('\n')}`;
  expect(text.replaceAll('\n', '')).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  const [first, second] = agentsTable(picture([evil], held), unlimited).slice(2) as [string, string];
  expect(textWidth(first.slice(0, first.indexOf('pi')))).toBe(textWidth(second.slice(0, second.indexOf('pi'))));
});

test('colours are meanings: working green, stale red, what is not current dim', () => {
  const text = agents(picture(), { paint: coloured });
  expect(text).toContain('\x1b[32mworking\x1b[0m');
  expect(text).toContain('\x1b[31mstale: no beat\x1b[0m');
  expect(text).toContain('\x1b[2mcoder0-0');
  expect(text).toContain('\x1b[31mdragon-lin  LOST');
  expect(text.replaceAll(/\x1b\[[\d;]+m/g, '')).toBe(agents(picture()));
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
