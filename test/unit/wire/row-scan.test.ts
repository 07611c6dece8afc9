import { describe, expect, test } from 'vitest';
import type { AgentRow } from '../../../src/domain/agent-row.ts';
import type { ListedRow } from '../../../src/domain/listed-agent.ts';
import { decodeAgentRow, encodeAgentRow, MAX_ROW_BYTES } from '../../../src/wire/agent-row.ts';
import { KnownTexts } from '../../../src/wire/known-texts.ts';
import { RowScan } from '../../../src/wire/row-scan.ts';
import { agentRow } from '../../helpers/agent-row.ts';

const scan = new RowScan();
const texts = new KnownTexts();
const listed = (bytes: Buffer): ListedRow | null => scan.listed(bytes, 0, bytes.length, texts);

const full = agentRow({
  agent: 'a b/ü\ufeff日本',
  model: 'm',
  effort: 'high',
  modelSeen: 'x',
  unit: {
    name: 'mosaic-agent@a.service',
    activeState: 'active',
    subState: 'running',
    unitFileState: null,
    result: 'success',
    mainPid: 4_000_000_000,
    restarts: 300,
    sinceMs: 1.5,
  },
  tmux: {
    socket: '/tmp/tmux-1000/default',
    session: 's',
    sessionId: '$1',
    group: 'g',
    groupMembers: ['g', 'h'],
    paneId: '%1',
    pid: 7,
    command: 'node',
    title: '✳ a title\x1b[2J',
    cwd: `/home/${'long/'.repeat(40)}`,
    dead: true,
    exitStatus: 3,
    signal: 'KILL',
    width: 200,
    height: 50,
    alternateScreen: false,
    attached: 0,
  },
  heartbeat: { state: 'healthy', tsMs: Date.UTC(2026, 0, 1), status: '', pid: 9, source: 'native' },
  lastOutputMs: -1,
  startedMs: Number.POSITIVE_INFINITY,
  stateSinceMs: 0,
  lastExit: { status: 1, signal: null, atMs: 2 },
  rssBytes: 1.8e8,
  cpuPercent: 3.14,
  watchers: 2,
  writer: 'jarvis',
  readiness: 'stuck',
  reason: '',
  reasonCode: 'approval',
  attention: { id: 'i', need: 'approval', sinceMs: 7, rule: 'r', summary: 'rm -rf?' },
  flags: ['DRIFT', '', 'A-FLAG-OF-A-NEWER-VERSION'],
  order: 70_000,
});
const rows: [what: string, row: AgentRow][] = [
  ['of every field', full],
  ['of few fields', agentRow()],
  ['of nothing but a key', decodeAgentRow(Buffer.of(0x0a, 1, 0x6b))],
  ['that is not managed', agentRow({ managed: false, tmux: full.tmux, runtimeSeen: null, flags: ['UNMANAGED'] })],
];

/** What is listed of a row that was decoded. */
const partOf = (row: AgentRow): ListedRow => ({
  key: row.key,
  agent: row.agent,
  managed: row.managed,
  role: row.role,
  runtime: row.runtime,
  runtimeSeen: row.runtimeSeen,
  unit: row.unit && { restarts: row.unit.restarts },
  tmux: row.tmux && { command: row.tmux.command, cwd: row.tmux.cwd },
  heartbeat: { state: row.heartbeat.state, tsMs: row.heartbeat.tsMs },
  lastOutputMs: row.lastOutputMs,
  startedMs: row.startedMs,
  stateSinceMs: row.stateSinceMs,
  rssBytes: row.rssBytes,
  cpuPercent: row.cpuPercent,
  readiness: row.readiness,
  reason: row.reason,
  attention: row.attention && expect.anything(),
  flags: row.flags,
  order: row.order,
});

const decodedPart = (bytes: Buffer): ListedRow | null => {
  try {
    return partOf(decodeAgentRow(bytes));
  } catch {
    return null;
  }
};

describe.each(rows)('a row %s', (_, row) => {
  const bytes = encodeAgentRow(row);

  test('is listed as the codec reads it, wherever it stands', () => {
    expect(listed(bytes)).toEqual(partOf(row));
    const frame = Buffer.concat([bytes, bytes, bytes]);
    expect(scan.listed(frame, bytes.length, 2 * bytes.length, texts)).toEqual(partOf(row));
  });

  test('that is cut or mangled anywhere is left to the codec, or listed as that reads it', () => {
    for (let at = 0; at < bytes.length; at += 1) {
      for (const wrong of [0x00, 0x7f, 0x80, 0xff - (bytes[at] as number)]) {
        const mangled = Buffer.from(bytes);
        mangled[at] = wrong;
        for (const one of [mangled, mangled.subarray(0, at)]) {
          const found = listed(one);
          if (found !== null) expect(found).toEqual(decodedPart(one));
        }
      }
    }
  });
});

test('a field that comes twice, or is of another kind, is left to the codec; one that is not known is passed over', () => {
  const bytes = encodeAgentRow(agentRow());
  const agentTwice = Buffer.concat([bytes, Buffer.of(0x12, 1, 0x61)]);
  const numberAsAgent = Buffer.concat([Buffer.of(0x0a, 1, 0x6b), Buffer.of(0x10, 1)]);
  const flagsApart = Buffer.concat([
    bytes,
    Buffer.of(0xda, 1, 1, 0x61),
    Buffer.of(0xe0, 1, 1),
    Buffer.of(0xda, 1, 1, 0x62),
  ]);
  expect([agentTwice, numberAsAgent, flagsApart].map(listed)).toEqual([null, null, null]);
  const newer = Buffer.concat([bytes, Buffer.of(0xf2, 1, 2, 0xff, 0xff)]);
  expect(listed(newer)).toEqual(partOf(decodeAgentRow(bytes)));
});

test('a row without a key, and one that is too long, are left to the codec', () => {
  expect(listed(Buffer.of(0x12, 1, 0x61))).toBeNull();
  expect(listed(Buffer.concat([encodeAgentRow(agentRow()), Buffer.alloc(MAX_ROW_BYTES)]))).toBeNull();
});
