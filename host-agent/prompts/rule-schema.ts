/**
 * Checks a file of screen rules and compiles it. Comes in: JSON that somebody wrote. Goes out: a rule set, or an error
 * that names the place. A pattern that could run away on a hostile screen does not pass.
 */
import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { NEEDS, REASON_CODES } from '../../src/domain/agent-row.ts';
import type { RuleSet } from '../../src/domain/prompt-rules.ts';

const MAX_PATTERN = 300;

/** A repeated group with a repetition inside takes ages to fail, and so may a back reference. */
const RUNS_AWAY = /\((?:[^()\\]|\\.)*(?:[+*]|\{\d+,\d*\})(?:[^()\\]|\\.)*\)(?:[+*]|\{\d+,\d*\})|\\[1-9]|\\k</;

const pattern = z.pipe(
  z.string().check(z.minLength(1), z.maxLength(MAX_PATTERN)),
  z.transform((source, context) => {
    const refuse = (message: string): never => {
      context.issues.push({ code: 'custom', input: source, message });
      return z.NEVER;
    };
    if (RUNS_AWAY.test(source)) return refuse('a repetition inside a repetition, or a back reference');
    try {
      return new RegExp(source, 'u');
    } catch (error) {
      return refuse((error as Error).message);
    }
  }),
);
const patterns = z._default(z.array(pattern).check(z.maxLength(12)), []);
const optionalPattern = z._default(z.nullable(pattern), null);
const words = (length: number) => z.string().check(z.minLength(1), z.maxLength(length));
const name = z.string().check(z.regex(/^[a-z0-9-]{1,40}$/, 'use small letters, digits and -, at most 40'));
const key = z.string().check(z.regex(/^[\x21-\x7e]{1,16}$/));

const condition = z.strictObject({
  where: z.enum(['title', 'screen', 'bottom', 'above-composer', 'prompt']),
  lines: z._default(z.int().check(z.minimum(1), z.maximum(60)), 12),
  has: patterns,
  hasNot: patterns,
});

const fixedChoice = z.strictObject({
  name: words(80),
  label: words(80),
  keys: z.array(key).check(z.minLength(1), z.maxLength(4)),
  selected: z._default(z.boolean(), false),
});

const choices = z.discriminatedUnion('list', [
  z.strictObject({ list: z.literal('numbered'), selected: pattern, keys: z.enum(['digit', 'arrows']) }),
  z.strictObject({ list: z.literal('marked'), selected: pattern, keys: z.enum(['arrows', 'sideways']) }),
  z.strictObject({
    list: z.literal('inline'),
    labels: z.array(words(80)).check(z.minLength(3), z.maxLength(10)),
    keys: z.enum(['arrows', 'sideways']),
  }),
  z.strictObject({
    list: z.literal('fixed'),
    keys: z._default(z.literal('fixed'), 'fixed'),
    choices: z.array(fixedChoice).check(z.minLength(1), z.maxLength(10)),
  }),
]);

const rule = z
  .strictObject({
    name,
    state: z.enum(['working', 'available', 'blocked']),
    seen: z.boolean(),
    reasonCode: z._default(z.nullable(z.enum(REASON_CODES)), null),
    need: z._default(z.nullable(z.enum(NEEDS)), null),
    reason: z._default(z.nullable(words(60)), null),
    composer: z._default(z.nullable(z.enum(['present', 'absent'])), null),
    when: z._default(z.array(condition).check(z.maxLength(8)), []),
    prompt: z._default(
      z.strictObject({
        from: optionalPattern,
        after: z._default(z.boolean(), false),
        inside: z._default(z.boolean(), false),
        leaveOut: patterns,
        gist: optionalPattern,
      }),
      { from: null, after: false, inside: false, leaveOut: [], gist: null },
    ),
    choices: z._default(z.nullable(choices), null),
  })
  .check(
    z.refine(({ state, reasonCode, need, reason }) => state !== 'blocked' || (reasonCode && need && reason), {
      message: 'what blocks has a reasonCode, a need and a reason',
    }),
    z.refine(({ composer, when }) => composer === 'present' || when.some(({ has }) => has.length > 0), {
      message: 'fits every screen: say what it must have',
    }),
  );

const color = z.pipe(
  z.string().check(z.regex(/^#[0-9a-f]{6}$/, 'write a colour as #rrggbb')),
  z.transform((hex) => 0x1000000 + Number.parseInt(hex.slice(1), 16)),
);

const composer = z.strictObject({
  above: optionalPattern,
  below: optionalPattern,
  frame: optionalPattern,
  marker: optionalPattern,
  leaveOut: patterns,
  hintColors: z._default(z.array(color).check(z.maxLength(10)), []),
  hintWords: optionalPattern,
});

const ruleFile = z.strictObject({
  format: z.literal(1),
  runtime: name,
  version: words(40),
  /** On which version of the program they were seen; for the reader. */
  program: z.optional(words(200)),
  composer: z.optional(z.nullable(composer)),
  rules: z._default(z.array(rule).check(z.maxLength(60)), []),
});

export type RuleFile = z.output<typeof ruleFile>;

/** Throws with the place and the reason in one line. */
export const parseRules = (json: unknown): RuleFile => {
  const result = ruleFile.safeParse(json, { error: en().localeError });
  if (result.success) return result.data;
  throw new Error(z.prettifyError(result.error).replace(/\s+/g, ' '));
};

export const shippedSet = (file: RuleFile): RuleSet => ({
  runtime: file.runtime,
  version: file.version,
  file: null,
  composer: file.composer ?? null,
  rules: file.rules,
});

/**
 * A user's rules are tried before the shipped ones; one of the same name takes the shipped one's place, and so does a
 * composer. What the user does not speak of stays as shipped, so that a newer version's rules still arrive.
 */
export const withOwnRules = (shipped: RuleSet | null, own: RuleFile, path: string): RuleSet => {
  const named = new Set(own.rules.map(({ name }) => name));
  return {
    runtime: own.runtime,
    version: shipped === null ? own.version : `${own.version} over ${shipped.version}`,
    file: path,
    composer: own.composer === undefined ? (shipped?.composer ?? null) : own.composer,
    rules: [...own.rules, ...(shipped?.rules ?? []).filter(({ name }) => !named.has(name))],
  };
};
