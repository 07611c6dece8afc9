import { expect, test } from 'vitest';
import { dialWords } from '../../../../src/cli/controller/dial-words.ts';

test.each([
  ['what it advertises', ['[::]:7443'], ['10.0.0.1:7443', 'home.example:7443'], '10.0.0.1:7443, home.example:7443'],
  ['whatever the machine has, where all interfaces are open', ['0.0.0.0:7443'], [], 'any address of this machine'],
  ['the same with IPv6', ['127.0.0.1:7443', '[::]:7444'], [], 'any address of this machine'],
  ['one that was opened', ['127.0.0.1:7443', '10.0.0.1:7443'], [], '10.0.0.1:7443'],
  ['nothing beyond this machine', ['127.0.0.1:7443'], [], 'loopback'],
])('hosts dial %s', (_, listening, advertised, words) => {
  expect(dialWords(listening, advertised)).toBe(words);
});
