import { describe, expect, test } from 'vitest';
import { specs } from '../../../src/cli/commands/specs.ts';
import { overview, verbHelp } from '../../../src/cli/help.ts';
import { parseCommandLine } from '../../../src/cli/parse.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';

const parse = (line: string) => parseCommandLine(line === '' ? [] : line.split(' '), specs);

test('fleet alone is ps, and known to be bare', () => {
  expect(parse('')).toMatchObject({ kind: 'run', spec: { name: 'ps' }, isBare: true });
  expect(parse('-w')).toMatchObject({ kind: 'run', spec: { name: 'ps' }, flags: { watch: true }, isBare: false });
});

test.each(['--instance t ps --host a', 'ps --instance t --host a', 'ps --host=a --instance=t'])(
  'the instance may stand before and after the verb: fleet %s',
  (line) => {
    expect(parse(line)).toMatchObject({ spec: { name: 'ps' }, instance: 't', flags: { host: ['a'] } });
  },
);

test('verbs of two words take the rest as theirs', () => {
  expect(parse('host add jwoltje@dragon-lin --dry-run')).toMatchObject({
    spec: { name: 'host add' },
    positionals: ['jwoltje@dragon-lin'],
    flags: { 'dry-run': true },
  });
});

test('defaults are filled in, lists of closed sets may be separated by commas, in any case', () => {
  expect(parse('ps --flag drift,Missing --flag crash-loop -o JSON')).toMatchObject({
    flags: { flag: ['DRIFT', 'MISSING', 'CRASH-LOOP'], output: 'json', sort: 'roster' },
  });
});

test('after -- everything is an argument', () => {
  expect(parse('doctor -- -odd')).toMatchObject({ positionals: ['-odd'] });
});

test.each([
  ['send a x', undefined],
  ['send a --wait-idle x', '10m'],
  ['send a --wait-idle=1h x', '1h'],
])('a flag may stand alone, or have a value of its own: fleet %s', (line, value) => {
  const parsed = parse(line);
  expect(parsed).toMatchObject({ positionals: ['a', 'x'] });
  expect(parsed.kind === 'run' && parsed.flags['wait-idle']).toBe(value);
});

describe('what is wrong is said in one line, with what was probably meant', () => {
  test.each([
    ['pss', 'unknown verb "pss": did you mean ps?'],
    ['zzzzzz', 'unknown verb "zzzzzz": fleet help lists them'],
    ['host ad', 'unknown verb "host ad": did you mean host add?'],
    ['host', 'host what? One of: fleet host add, fleet host rm, fleet host upgrade, fleet host join, fleet host allow'],
    ['snd', 'unknown verb "snd": did you mean send?'],
    ['anser', 'unknown verb "anser": did you mean answer?'],
    ['send a --wait-idle= x', '--wait-idle needs a value'],
    ['send a x --no-verfy', 'did you mean --no-verify?'],
    ['ps --wach', 'unknown flag --wach: did you mean --watch?'],
    ['ps -x', 'unknown flag -x: fleet ps --help lists them'],
    ['ps --watch=yes', '--watch takes no value'],
    ['ps --host', '--host needs a value: --host HOST'],
    ['ps --host --local', '--host needs a value: --host HOST'],
    ['ps --host=', '--host needs a value: --host HOST'],
    ['ps --state wroking', '--state "wroking": one of working, available, stuck, stale, dead, unknown'],
    ['ps -o yaml', '--output "yaml": one of table, wide, json, ndjson, name'],
    ['ps more', 'fleet ps: "more" is too much; usage: fleet ps'],
    ['token', 'fleet token: something is missing; usage: fleet token HOST'],
    ['help pss', 'no verb "pss": did you mean ps?'],
  ])('fleet %s', (line, words) => {
    expect(() => parse(line)).toThrow(UsageError);
    expect(() => parse(line)).toThrow(words);
  });

  test.each(['../x', '-x', '', 'a/b', 'x'.repeat(33)])('an instance named %j', (name) => {
    expect(() => parseCommandLine([`--instance=${name}`, 'ps'], specs)).toThrow(UsageError);
  });
});

describe('help comes from the table alone', () => {
  test.each(['--help', '-h', 'help'])('fleet %s is the overview', (line) => {
    expect(parse(line)).toMatchObject({ kind: 'help', spec: null, group: null });
  });

  test.each(['ps --help', 'help ps', 'ps --watch -h', 'token -h'])('fleet %s is the verb’s', (line) => {
    expect(parse(line)).toMatchObject({ kind: 'help', spec: { name: line.includes('token') ? 'token' : 'ps' } });
  });

  test.each(['host --help', 'help host'])('fleet %s lists the group', (line) => {
    expect(parse(line)).toMatchObject({ kind: 'help', spec: null, group: 'host' });
  });

  test.each(specs.map((spec) => [spec.name, spec] as const))(
    '%s has an example, and names each flag with its default',
    (_, spec) => {
      const text = verbHelp(spec);
      expect(spec.examples.length).toBeGreaterThan(0);
      for (const example of spec.examples) expect(text).toContain(`  ${example}\n`);
      for (const flag of spec.flags) {
        expect(text).toContain(`--${flag.name}`);
        if (flag.default !== undefined) expect(text).toContain(`default ${flag.default}`);
      }
    },
  );

  test('the overview lists every verb but the hidden ones', () => {
    for (const { name, hidden } of specs) expect(overview(specs).includes(`  ${name}`)).toBe(!hidden);
  });
});
