import { expect, test } from 'vitest';
import { parseEnvFile } from '../../../host-agent/roster/env-file.ts';

test.each<[string, Record<string, string>]>([
  ['A=1\nB=two words\n', { A: '1', B: 'two words' }],
  ['export A=1\n  export\tB=2', { A: '1', B: '2' }],
  ['# A=1\n; B=2\n\nC=3', { C: '3' }],
  ['A=1 # why\nB=#no\nC=x#y\nD= # none', { A: '1', B: '#no', C: 'x#y', D: '' }],
  ['A="x # y"\nB=\'$HOME "q"\'', { A: 'x # y', B: '$HOME "q"' }],
  ['A="say \\"hi\\" \\$5 \\n"', { A: 'say "hi" $5 \\n' }],
  ['A="one\ntwo"\nB=3', { A: 'one\ntwo', B: '3' }],
  ['A=one\\\ntwo\nB=a\\ b', { A: 'onetwo', B: 'a b' }],
  ['A=pre\'mid\'"post"  ', { A: 'premidpost' }],
  ['A="  kept  "  \nB=  trimmed  ', { A: '  kept  ', B: 'trimmed' }],
  ['A="never closed\nB=2', { A: '"never closed', B: '2' }],
  ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
  ['A=\nA=last', { A: 'last' }],
  ['1A=x\nA-B=y\nnothing\n=z\nA =q\nOK=1', { OK: '1' }],
  ['A=a=b==', { A: 'a=b==' }],
  ['', {}],
])('%j', (text, values) => {
  expect(Object.fromEntries(parseEnvFile(text))).toEqual(values);
});
