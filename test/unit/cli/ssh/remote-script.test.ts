import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outputAfter, remoteScript } from '../../../../src/cli/ssh/remote-script.ts';
import { progressBar } from '../../../../src/cli/ssh/upload.ts';
import { shellQuoted } from '../../../../src/runtime/quote.ts';

const names = readdirSync(join(import.meta.dirname, '../../../../deploy/remote')).map((file) =>
  file.replace(/\.sh$/, ''),
);

test('no value ever stands in the command, only in what goes through stdin', () => {
  const { command, head } = remoteScript('authorize', { LINE: 'very secret', MARK: 'm' });
  expect(command).not.toContain('secret');
  expect(head.toString()).toContain("LINE='very secret'\n");
});

test.each(names)('the command of %s means the same to every login shell', (name) => {
  // One word in single quotes without a quote, a backslash, an exclamation mark or a line end inside.
  expect(remoteScript(name).command).toMatch(/^sh -c '[^'\\!\n]+'$/);
});

test('the count in the command is the length of script and values in bytes', () => {
  const { command, head } = remoteScript('reach', { ID: 'é' });
  expect(command).toContain(`count=${head.length} `);
});

test.each(["it's", '$(id)', '`id`', '"', 'a\nb', "'"])('%j is quoted for sh', (text) => {
  expect(shellQuoted(text).replaceAll("'\\''", "'").slice(1, -1)).toBe(text);
});

test('what a login shell printed before the script is no output of the script', () => {
  const { beginMark } = remoteScript('reach', { ID: 'x' });
  expect(outputAfter(beginMark, `Welcome!\n${beginMark}\nuid=1\n`)).toBe('uid=1\n');
  expect(outputAfter(beginMark, 'Welcome!\n')).toBeNull();
});

test('two runs never share a mark', () => {
  expect(remoteScript('reach').beginMark).not.toBe(remoteScript('reach').beginMark);
});

test('the progress bar shows share and amount, and is full at the end', () => {
  expect(progressBar(0, 4 * 1024 * 1024)).toBe('[------------------------]   0 %  0.0 of 4.0 MiB');
  expect(progressBar(2 * 1024 * 1024, 4 * 1024 * 1024)).toBe('[############------------]  50 %  2.0 of 4.0 MiB');
  expect(progressBar(4 * 1024 * 1024, 4 * 1024 * 1024)).toBe('[########################] 100 %  4.0 of 4.0 MiB');
});
