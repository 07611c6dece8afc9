import { describe, expect, test } from 'vitest';
import { explainLines } from '../../../../src/cli/orders/explain-text.ts';
import { longestWaiting, type Waiting } from '../../../../src/cli/orders/longest-waiting.ts';
import { nextStep, outcomeLine, outcomeObject } from '../../../../src/cli/orders/outcome-text.ts';
import { answerCommand, choiceLines, excerptLines } from '../../../../src/cli/orders/prompt-text.ts';
import { coloured, plain } from '../../../../src/cli/render/paint.ts';
import type { AgentView } from '../../../../src/domain/agent-view.ts';
import { textWidth } from '../../../../src/domain/clean-text.ts';
import { ORDER_OUTCOMES, orderEffect, orderWords } from '../../../../src/domain/order.ts';
import type { OrderOutcome } from '../../../../src/wire/gen/fleet/v1/orders.ts';
import type { PromptChoice, PromptReading } from '../../../../src/wire/gen/fleet/v1/terminal.ts';

const TYPED = { fleet: 'fleet', agent: 'h/u/a' };
const choice = (name: string, label = ''): PromptChoice => ({ name, label, selected: false });
const prompt = (over: Partial<PromptReading>): PromptReading => ({
  state: 'blocked',
  reasonCode: '',
  rule: '',
  excerpt: [],
  promptId: 'p',
  choices: [],
  composer: undefined,
  ...over,
});
const outcome = (over: Partial<OrderOutcome>): OrderOutcome => ({
  id: 'o',
  address: '',
  verb: 'send',
  outcome: 'accepted',
  reason: '',
  actor: '',
  beganMs: 0,
  endedMs: 0,
  repeated: false,
  ...over,
});

describe('a prompt', () => {
  test('that fills more than a screen is cut, and says by how much', () => {
    const lines = excerptLines(prompt({ excerpt: Array.from({ length: 45 }, (_, at) => `line ${at}   `) }), plain);
    expect(lines).toHaveLength(41);
    expect(lines.at(0)).toBe('  │ line 0');
    expect(lines.at(-1)).toBe('  │ … 5 more lines');
  });

  test('of wide and long labels keeps its commands in one column', () => {
    const choices = [choice('1', '日本語'), choice('2', 'x'.repeat(200)), choice('y')];
    const lines = choiceLines(TYPED, prompt({ choices }), plain);
    expect(new Set(lines.map((line) => textWidth(line.split('fleet answer')[0] as string))).size).toBe(1);
    expect(lines[1]).toContain('xxx…  fleet answer h/u/a 2 --prompt p');
    expect(lines[2]).toMatch(/^ {4}y {2,}fleet answer h\/u\/a y --prompt p$/);
  });

  test.each([
    ['without an id', { promptId: '' }, '1'],
    ['whose choice looks like a flag', {}, '--yes'],
    ['whose choice cannot be shown', {}, 'a\nb'],
    ['whose id cannot be shown', { promptId: '\x1b' }, '1'],
  ])('%s has no words that answer it', (_, over, name) => {
    expect(answerCommand(TYPED, prompt(over), choice(name))).toBeNull();
    expect(choiceLines(TYPED, prompt({ ...over, choices: [choice(name)] }), plain)[0]).toContain('fleet attach');
  });
});

test('colours change no cell of what is explained', () => {
  const evidence = [{ source: 'screen', fact: 'a rule fits', decisive: true }];
  const why = {
    readiness: 'stuck',
    reason: 'r',
    reasonCode: '',
    evidence,
    rules: '',
    prompt: prompt({ excerpt: ['x'] }),
  };
  const explained = { address: 'c/h/u/a', typed: TYPED, current: true, why };
  const painted = explainLines(explained, coloured).join('\n');
  expect(painted).not.toBe(explainLines(explained, plain).join('\n'));
  expect(painted.replace(/\x1b\[[\d;]*m/g, '')).toBe(explainLines(explained, plain).join('\n'));
  expect(explainLines({ ...explained, why: { ...why, evidence: [] } }, plain)).toContain('no evidence');
});

describe('who waits longest', () => {
  const waiting = (key: string, since_seconds: number | null): Waiting => ({
    agent: { attention: { id: '', need: 'other', since_seconds, rule: '', summary: '' } } as AgentView,
    typed: key,
    hostAgent: 'h/u',
    key,
  });

  test.each([
    [[], null],
    [[waiting('a', 5), waiting('b', 9), waiting('c', 7)], 'b'],
    [[waiting('a', 5), waiting('b', 5)], 'a'],
    [[waiting('a', null), waiting('b', 0)], 'b'],
    [[waiting('a', null), waiting('b', null)], 'a'],
  ])('%# is decided by since when it is known', (all, key) => {
    expect(longestWaiting(all)?.key ?? null).toBe(key);
  });
});

describe('an outcome', () => {
  test.each(ORDER_OUTCOMES)('%s that may have typed something says to look first, and only then', (name) => {
    const next = nextStep(outcome({ outcome: name }), 'fleet', 'h/u/a');
    expect(next?.includes('look before you repeat it: fleet watch h/u/a') ?? false).toBe(
      orderEffect(name) === 'something',
    );
  });

  test('without a reason is told by what it means, and says once that nothing was typed', () => {
    expect(outcomeLine(outcome({ outcome: 'busy' }))).toBe(`busy: ${orderWords('busy')}`);
    expect(outcomeLine(outcome({ outcome: 'busy', reason: 'no, nothing was typed' }))).toBe(
      'busy: no, nothing was typed',
    );
    expect(outcomeLine(outcome({ outcome: 'busy', reason: 'no' }))).toBe('busy: no; nothing was typed');
  });

  test('that was known before says that nothing was typed again', () => {
    expect(outcomeLine(outcome({ repeated: true }))).toBe(
      'accepted: the agent took the message; it was given before, nothing was typed again',
    );
  });

  test('with stamps that are none has none', () => {
    for (const ms of [0, -1, Number.NaN, 1e300, Number.POSITIVE_INFINITY]) {
      expect(outcomeObject(outcome({ beganMs: ms, endedMs: ms }))).toMatchObject({ began: null, ended: null });
    }
  });
});
