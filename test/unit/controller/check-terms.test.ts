import { expect, test } from 'vitest';
import { checkTerms, type TermsWish } from '../../../controller/grants/check-terms.ts';

const DAY_MS = 24 * 3_600_000;
const wish = (over: Partial<TermsWish> = {}): TermsWish => ({
  tenants: ['acme'],
  hosts: ['*'],
  agents: ['coder*'],
  verbs: ['observe'],
  rowLimit: 0,
  validMs: 0,
  ...over,
});
const check = (over: Partial<TermsWish> = {}) => checkTerms(wish(over), (tenant) => tenant === 'acme');

test('what is not said is what gives least: a thousand rows; whoever may do more sees the row', () => {
  expect(check()).toEqual({ ...wish(), rowLimit: 1_000, validMs: null });
  expect(check({ verbs: ['send', 'send'], validMs: DAY_MS })).toMatchObject({ verbs: ['observe', 'send'] });
  expect(check({ verbs: ['watch'], agents: ['a', 'a'] })).toMatchObject({ agents: ['a'], validMs: null });
});

test.each<[Partial<TermsWish>, RegExp]>([
  [{ tenants: [] }, /^no tenant: .*--tenant/],
  [{ tenants: ['other'] }, /"other" is unknown: "fleet tenant ls"/],
  [{ tenants: ['*'] }, /"\*": a name, no pattern/],
  [{ hosts: [] }, /^no host: .*--host/],
  [{ hosts: ['a/b/c'] }, /HOST or HOST\/USER/],
  [{ hosts: ['a b'] }, /HOST or HOST\/USER/],
  [{ hosts: ['/u'] }, /HOST or HOST\/USER/],
  [{ agents: [] }, /^no agent: .*--agent/],
  [{ agents: [''] }, /matches nothing/],
  [{ agents: ['a\u202eb'] }, /characters that no name shows/],
  [{ agents: ['x'.repeat(129)] }, /129 characters/],
  [{ agents: Array.from({ length: 65 }, (_, at) => `a${at}`) }, /65 agents; at most 64/],
  [{ verbs: [] }, /^no verb: .*--verb/],
  [{ verbs: ['deploy'] }, /"deploy" is never granted/],
  [{ verbs: ['admin'] }, /"admin" is never granted/],
  [{ verbs: ['fly'] }, /"fly" is no verb of grants: observe/],
  [{ rowLimit: 10_001 }, /1 to 10,000/],
  [{ rowLimit: 1.5 }, /1 to 10,000/],
  [{ validMs: 1 }, /1s at least/],
  [{ validMs: Number.NaN }, /1s at least/],
  [{ validMs: -1 }, /1s at least/],
])('%j is no grant: %s', (over, words) => {
  expect(() => check(over)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(words) }),
  );
});

test.each(['send', 'lifecycle', 'takeover'])('%s ends within 30 days', (verb) => {
  const refused = expect.objectContaining({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('--expires 30d'),
  });
  for (const validMs of [0, 30 * DAY_MS + 1, Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    expect(() => check({ verbs: [verb], validMs })).toThrow(refused);
  }
  expect(check({ verbs: [verb], validMs: 30 * DAY_MS }).validMs).toBe(30 * DAY_MS);
});
