import { expect, test } from 'vitest';
import { agentsTable } from '../../../../src/cli/render/agents-table.ts';
import { hostsTable } from '../../../../src/cli/render/hosts-table.ts';
import { agentsFooter } from '../../../../src/cli/render/notes.ts';
import { coloured } from '../../../../src/cli/render/paint.ts';
import type { AgentRow } from '../../../../src/domain/agent-row.ts';
import { textWidth } from '../../../../src/domain/clean-text.ts';
import { agentRow, tmuxFacts } from '../../../helpers/agent-row.ts';
import { agents, dragon, HOUR, jarvis, NOW, picture, unlimited } from './tables-ground.ts';

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
