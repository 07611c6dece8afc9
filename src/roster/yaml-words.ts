/** What a word of YAML is: text, or what the core schema of YAML 1.2 takes it for. */
import { boolCoreTag, floatCoreTag, intCoreTag, NOT_RESOLVED, nullCoreTag } from 'js-yaml';

export type Word = string | number | boolean | null;

const CORE = [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag];

const plainWord = (text: string): Word => {
  for (const { resolve, tagName } of CORE) {
    const value = resolve(text, false, tagName);
    if (value !== NOT_RESOLVED) return value as Word;
  }
  return text;
};

const TEXT_TAGS: ReadonlySet<string | null> = new Set(['!', '!!str']);

/** undefined: its tag says what it is not, or what nobody knows. */
export const wordOf = (text: string, tag: string | null, isPlain: boolean): Word | undefined => {
  if (tag === null) return isPlain ? plainWord(text) : text;
  if (TEXT_TAGS.has(tag)) return text;
  const asked = CORE.find(({ tagName }) => tagName === `tag:yaml.org,2002:${tag.slice(2)}`);
  const value = asked?.resolve(text, true, asked.tagName);
  return value === NOT_RESOLVED ? undefined : (value as Word | undefined);
};
