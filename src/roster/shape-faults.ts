/** What zod found wrong with a roster's shape, as words for the person who wrote it. */
import type { $ZodIssue } from 'zod/v4/core';
import type { Path, RosterDocument } from './document.ts';
import { type Fault, shown } from './fault.ts';
import { levelAt, nearestKey } from './keys.ts';

type Issue = $ZodIssue;

export const shapeFaults = (issues: readonly Issue[], document: RosterDocument, version2: boolean): Fault[] =>
  issues.toSorted(unknownKeysFirst).flatMap((issue) => {
    const path = issue.path as (string | number)[];
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        offset: document.offsetOf([...path, key], 'key'),
        words: unknownKey(key, path, version2),
      }));
    const value = valueAt(document.value, path);
    const atKey = value === undefined || issue.code === 'invalid_key';
    return [{ offset: document.offsetOf(path, atKey ? 'key' : 'value'), words: issueWords(issue, path, value) }];
  });

/** A slip in a key is why another seems to be missing. */
const unknownKeysFirst = (a: Issue, b: Issue): number =>
  Number(b.code === 'unrecognized_keys') - Number(a.code === 'unrecognized_keys');

const unknownKey = (key: string, path: Path, version2: boolean): string => {
  const level = levelAt(path);
  if (!version2 && level?.v2.includes(key)) return `${shown(key)} needs ${shown('version: 2')} at the top`;
  const nearest = nearestKey(key, [...(level?.v1 ?? []), ...(version2 ? (level?.v2 ?? []) : [])]);
  return `unknown key ${shown(key)}${nearest === null ? '' : `; did you mean ${shown(nearest)}?`}`;
};

const issueWords = (issue: Issue, path: Path, value: unknown): string => {
  const name = path.length === 0 ? 'the roster' : shown(pathWords(path));
  if (value === undefined) return `${name} is missing`;
  if (issue.code === 'invalid_value')
    return `${name} must be ${issue.values.map(shown).join(' or ')}, not ${shown(value)}`;
  if (issue.code === 'invalid_type') return `${name} must be ${kindWords(issue.expected)}, not ${valueWords(value)}`;
  if (issue.code === 'invalid_union') return `${name} must be text, a number, true or false, not ${valueWords(value)}`;
  if (issue.code === 'invalid_key') return `${name} is no name of a variable`;
  return `${name} ${issue.message}`;
};

const pathWords = (path: Path): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`)).join('');

const KINDS: Record<string, string> = {
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
};
const kindWords = (expected: string): string => KINDS[expected] ?? expected;

const valueWords = (value: unknown): string => {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map of keys';
  const quoting = typeof value === 'number' || typeof value === 'boolean' ? ': put it in quotes' : '';
  return `${shown(value)}${quoting}`;
};

const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, part) => (value as Record<string | number, unknown> | undefined)?.[part], root);
