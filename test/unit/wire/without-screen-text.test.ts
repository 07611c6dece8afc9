import { expect, test } from 'vitest';
import { decodeAgentRow, encodeAgentRow } from '../../../src/wire/agent-row.ts';
import { AgentRow, Attention } from '../../../src/wire/gen/fleet/v1/types.ts';
import { withoutScreenText } from '../../../src/wire/without-screen-text.ts';
import { typicalRow } from '../../bench/swarm/typical-row.ts';
import { agentRow, tmuxFacts } from '../../helpers/agent-row.ts';

const attention = { id: 'ab12', need: 'approval', sinceMs: 7, rule: 'claude/approval', summary: 'rm -rf SECRET?' };
const blocked = agentRow({
  tmux: tmuxFacts({ command: 'node', title: 'SECRET title', cwd: '/' }),
  readiness: 'stuck',
  reason: 'asks for approval',
  reasonCode: 'approval',
  attention,
});

/** By the codec alone. */
const asDecoded = (bytes: Buffer): AgentRow => {
  const row = AgentRow.decode(bytes);
  if (row.tmux) row.tmux.title = undefined;
  if (row.attention) row.attention.summary = '';
  return row;
};

test('what is stored of a row has no word of a screen, and still says that somebody is needed and why', () => {
  const stored = withoutScreenText(encodeAgentRow(blocked));
  expect(stored.includes('SECRET')).toBe(false);
  const read = decodeAgentRow(stored);
  expect([read.readiness, read.reason, read.attention]).toEqual([
    'stuck',
    'asks for approval',
    { ...attention, summary: '' },
  ]);
});

test.each([
  ['a blocked row', blocked],
  ['a typical row', typicalRow('h', 3, 7, 1_700_000_000_000)],
  ['a row without a session', agentRow({ tmux: null })],
  ['a row with a title longer than all the rest', agentRow({ tmux: tmuxFacts({ title: 'SECRET'.repeat(80) }) })],
])('%s keeps all else', (_, row) => {
  const bytes = encodeAgentRow(row);
  expect(AgentRow.decode(withoutScreenText(bytes))).toEqual(asDecoded(bytes));
});

test('a row that is cut or mangled anywhere is what the codec makes of it', () => {
  const bytes = encodeAgentRow(blocked);
  for (let at = 0; at < bytes.length; at += 1) {
    for (const wrong of [0x00, 0x7f, 0x80, 0xff - (bytes[at] as number)]) {
      const mangled = Buffer.from(bytes);
      mangled[at] = wrong;
      for (const one of [mangled, mangled.subarray(0, at)]) {
        const told = tried(() => AgentRow.decode(withoutScreenText(one)));
        expect(told).toEqual(tried(() => asDecoded(one)));
      }
    }
  }
});

test('what a newer version adds may be of a screen too, wherever it stands', () => {
  const bytes = encodeAgentRow(blocked);
  const newField = Buffer.concat([Buffer.of(0xf2, 0x01, 6), Buffer.from('SECRET')]);
  const unit = Buffer.concat([Buffer.of(0x62, newField.length), newField]);
  for (const newer of [Buffer.concat([bytes, newField]), Buffer.concat([bytes, unit])]) {
    expect(newer.toString('latin1').split('SECRET')).toHaveLength(4);
    expect(withoutScreenText(newer).includes('SECRET')).toBe(false);
  }
});

test('a part that comes before another, or twice, loses its text all the same', () => {
  const [typical, second] = [encodeAgentRow(blocked), Buffer.of(0x6a, 5, 0x4a, 3, 0x58, 0x58, 0x58)];
  const message = Attention.encode(attention).finish();
  const attentionFirst = Buffer.concat([
    Buffer.of(0xd2, 0x01, message.length),
    message,
    encodeAgentRow({ ...blocked, attention: null }),
  ]);
  for (const one of [attentionFirst, Buffer.concat([typical, second])]) {
    const left = withoutScreenText(one);
    expect(left.includes('SECRET') || left.includes('XXX')).toBe(false);
    expect(AgentRow.decode(left)).toEqual(asDecoded(one));
  }
});

const tried = (read: () => AgentRow): AgentRow | null => {
  try {
    return read();
  } catch {
    return null;
  }
};
