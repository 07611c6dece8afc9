/** The rules that come with fleet, by runtime: one file of data each. */
import type { RuleSet } from '../../src/domain/prompt-rules.ts';
import { parseRules, shippedSet } from './rule-schema.ts';
import claude from './rules/claude.json' with { type: 'json' };
import codex from './rules/codex.json' with { type: 'json' };
import opencode from './rules/opencode.json' with { type: 'json' };
import pi from './rules/pi.json' with { type: 'json' };
import stub from './rules/stub.json' with { type: 'json' };

export const shippedRules = (): Map<string, RuleSet> =>
  new Map([claude, codex, opencode, pi, stub].map((file) => [file.runtime, shippedSet(parseRules(file))]));
