import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isNewConversation, saidOn } from '../../../../host-agent/command/conversation.ts';
import { ScreenPrompts } from '../../../../host-agent/prompts/screen-prompts.ts';
import { shippedRules } from '../../../../host-agent/prompts/shipped-rules.ts';
import { resetCommandOf } from '../../../../src/domain/runtime-reset.ts';
import { parseRecording } from '../../../helpers/screen-fixture.ts';

const rules = shippedRules();
const prompts = new ScreenPrompts({ rulesFor: (runtime) => rules.get(runtime ?? '') ?? null });
const recorded = (runtime: string, name: string): string[] | null => {
  const picture = parseRecording(readFileSync(`test/fixtures/screens/${runtime}-${name}.txt`, 'utf8'));
  return saidOn(runtime, { picture, reading: prompts.read(runtime, picture) });
};

describe('of the real programs', () => {
  test.each(['claude', 'codex'])('a fresh %s shows nothing that was said', (runtime) => {
    expect(recorded(runtime, 'composer')).toEqual([]);
  });

  test.each(['pi', 'codex', 'claude'])('%s at work shows what it was told', (runtime) => {
    expect(recorded(runtime, 'working')?.some((line) => line.endsWith('pleaserunit'))).toBe(true);
    expect(isNewConversation(recorded(runtime, 'working') as string[], recorded(runtime, 'composer') as string[])).toBe(
      true,
    );
  });

  test('where it asks instead of taking text, nothing can be told', () => {
    expect(recorded('claude', 'trust')).toBeNull();
  });
});

test('what stood next to the composer must be gone; what scrolled off proves nothing', () => {
  expect(isNewConversation(['old', 'question', 'answer'], ['question', 'answer', 'Unknowncommand'])).toBe(false);
  expect(isNewConversation(['old', 'question', 'answer'], ['Newsession'])).toBe(true);
  expect(isNewConversation(['question', 'answer'], [])).toBe(true);
});

test('where nothing was said, nothing may come of it', () => {
  expect(isNewConversation([], [])).toBe(true);
  expect(isNewConversation([], ['Unknowncommand:/new'])).toBe(false);
});

test.each([
  ['pi', '/new'],
  ['codex', '/clear'],
  ['claude', '/clear'],
  ['opencode', '/new'],
  ['stub', null],
  ['toString', null],
])('%s is reset by %s, unless the roster says otherwise', (runtime, command) => {
  expect(resetCommandOf(runtime, new Map())).toBe(command);
  expect(resetCommandOf(runtime, new Map([[runtime, '/forget']]))).toBe('/forget');
});
