import { expect, test } from 'vitest';
import { splitWords } from '../../../../src/cli/records/split-words.ts';

test.each([
  ['notify-me', ['notify-me']],
  ['  a   b\tc ', ['a', 'b', 'c']],
  [`"/opt/my tools/run" 'say "hi"' --x=`, ['/opt/my tools/run', 'say "hi"', '--x=']],
  [`a\\ b '\\' "\\"" ''`, ['a b', '\\', '"', '']],
  ['sh -c "echo $HOME; rm x"', ['sh', '-c', 'echo $HOME; rm x']],
])('%s', (text, words) => {
  expect(splitWords('exec', text)).toEqual(words);
});

test.each(['', '  ', '"open', "it's", '"" x'])('refused: %j', (text) => {
  expect(() => splitWords('exec', text)).toThrow('--exec');
});
