import { expect, test } from 'vitest';
import { ScreenPrompts } from '../../../../host-agent/prompts/screen-prompts.ts';
import { shippedRules } from '../../../../host-agent/prompts/shipped-rules.ts';
import { recordedScreen } from '../../../helpers/screen-fixture.ts';

const shipped = shippedRules();
const prompts = new ScreenPrompts({ rulesFor: (runtime) => shipped.get(runtime ?? '') ?? null });
const read = (screen: string) => prompts.reading(screen.split('-')[0] as string, recordedScreen(screen));

test.each([
  ['claude-theme', 'other', 'theme', 'Auto (match terminal)', 7],
  ['claude-login', 'login', 'login-method', 'Claude account with subscription · Individual, Team, or Enterprise', 3],
  ['claude-login-code', 'login', 'login-code', undefined, 0],
  ['claude-trust', 'trust_prompt', 'trust-folder', 'No, exit', 2],
  ['claude-trust-second', 'trust_prompt', 'trust-folder', 'Yes, I trust this folder', 2],
  ['claude-approval', 'approval', 'approval', 'Yes', 4],
  ['claude-question', 'question', 'question', 'Red', 4],
  ['codex-trust', 'trust_prompt', 'trust-folder', 'Trust and continue', 2],
  ['codex-untrusted', 'trust_prompt', 'trust-folder', 'Open restricted', 2],
  ['codex-model', 'question', 'menu', 'Try new model', 2],
  ['codex-login', 'login', 'login', 'Sign in with ChatGPT', 3],
  ['codex-approval', 'approval', 'approval', 'Yes, proceed (y)', 3],
  ['pi-login', 'login', 'login', 'Use a subscription', 2],
  ['pi-model', 'question', 'menu', 'stand-in [loopback] ✓', 1],
  ['opencode-approval', 'approval', 'permission', 'Allow once', 3],
])('%s blocks: %s by %s', (screen, reasonCode, rule, selected, choices) => {
  const reading = read(screen);
  expect([reading?.state, reading?.rule?.reasonCode, reading?.rule?.name]).toEqual(['blocked', reasonCode, rule]);
  expect(reading?.choices.filter((choice) => choice.selected).map(({ label }) => label)).toEqual(
    selected === undefined ? [] : [selected],
  );
  expect(reading?.choices.map(({ name }) => name)).toEqual(Array.from({ length: choices }, (_, i) => String(i + 1)));
  expect(reading?.promptId).toMatch(/^[0-9a-f]{16}$/);
  expect(reading?.composer).toBeNull();
});

test.each([
  ['claude-working', 'spinner', { y: 10, x: 2, text: '', placeholder: false }],
  ['codex-working', 'working', { y: 36, x: 2, text: 'Ask Codex to do anything', placeholder: true }],
  ['pi-working', 'working', { y: 20, x: 0, text: '', placeholder: false }],
  ['opencode-working', 'working', { y: 34, x: 5, text: '', placeholder: false }],
])('%s works', (screen, rule, composer) => {
  const reading = read(screen);
  expect([reading?.state, reading?.rule?.name, reading?.composer]).toEqual(['working', rule, composer]);
  expect(reading?.promptId).toBe('');
});

test.each([
  ['claude-composer', { y: 6, x: 2, text: '', placeholder: false }],
  ['claude-draft', { y: 6, x: 2, text: 'a draft of a message', placeholder: false }],
  ['codex-composer', { y: 36, x: 2, text: 'Ask Codex to do anything', placeholder: true }],
  ['codex-draft', { y: 36, x: 2, text: 'a draft of a message', placeholder: false }],
  ['pi-composer', { y: 14, x: 0, text: '', placeholder: false }],
  ['pi-draft', { y: 14, x: 0, text: 'a draft of a message', placeholder: false }],
  ['opencode-composer', { y: 34, x: 5, text: '', placeholder: false }],
  ['opencode-draft', { y: 20, x: 16, text: 'please run it', placeholder: false }],
])('%s is available, and what stands in its composer is told from a hint', (screen, composer) => {
  const reading = read(screen);
  expect([reading?.state, reading?.composer]).toEqual(['available', composer]);
});

test('a prompt keeps its name whichever choice is selected, and another command has another', () => {
  expect(read('claude-trust-second')?.promptId).toBe(read('claude-trust')?.promptId);
  const picture = recordedScreen('codex-approval');
  const other = {
    ...picture,
    rows: picture.rows.map((row) => row.map((span) => ({ ...span, text: span.text.replaceAll('touch', 'chmod') }))),
  };
  expect(prompts.reading('codex', other)?.rule?.name).toBe('approval');
  expect(prompts.reading('codex', other)?.promptId).not.toBe(read('codex-approval')?.promptId);
});

test('the summary is what is asked, in one short line', () => {
  expect(read('claude-approval')?.summary).toBe('Bash command Make a file touch asked.txt Do you want to proceed?');
  expect(read('opencode-approval')?.summary).toContain('$ touch asked.txt');
});

test.each([
  ['claude-approval', '4', [], ['4']],
  ['claude-trust', 'yes', ['Down'], ['Enter']],
  ['claude-trust-second', 'no', ['Up'], ['Enter']],
  ['codex-approval', '1', [], ['1']],
  ['codex-trust', 'back', ['Down'], ['Enter']],
  ['codex-login', '3', ['Down', 'Down'], ['Enter']],
  ['opencode-approval', 'reject', ['Right', 'Right'], ['Enter']],
  ['pi-login', 'Use an API key', ['Down'], ['Enter']],
])('%s is answered %s by its own keys', (screen, choice, moves, confirm) => {
  const answer = prompts.answer(screen.split('-')[0] as string, recordedScreen(screen), choice);
  expect([answer?.moves, answer?.confirm]).toEqual([moves, confirm]);
});

test.each([
  ['claude-approval', 'y', 'several choices begin with it'],
  ['claude-approval', '5', 'there is no such choice'],
  ['claude-approval', '', 'nothing is said'],
  ['claude-composer', '1', 'nothing is asked'],
])('%s has no keys for "%s": %s', (screen, choice) => {
  expect(prompts.answer(screen.split('-')[0] as string, recordedScreen(screen), choice)).toBeNull();
});

test('rules of another runtime see nothing in a screen that is not its own', () => {
  expect(prompts.reading('pi', recordedScreen('codex-approval'))?.state).toBe('unknown');
  expect(prompts.reading('stub', recordedScreen('claude-approval'))?.state).toBe('unknown');
  expect(prompts.reading('vim', recordedScreen('claude-approval'))).toBeNull();
});
