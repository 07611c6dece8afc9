import { readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { machineFault } from '../../../src/cli/machine-fault.ts';

const thrown = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
};

test('a full disk is said in one line, with what to do', async () => {
  const words = 'no space is left on the disk: free some, and give the command again';
  expect(machineFault(thrown(() => writeFileSync('/dev/full', 'x')))).toBe(words);
  const file = await open('/dev/full', 'w');
  const refused = await file.writeFile('x').catch((error: unknown) => error);
  await file.close();
  expect(machineFault(refused)).toBe(words);
});

test('a path that was refused is named', () => {
  const error = Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open', path: '/root/x' });
  expect(machineFault(error)).toBe('/root/x: you may not do that there: look at its owner and mode');
});

test('what is missing where we expect it, and what we throw ourselves, stays a bug of ours', () => {
  expect(machineFault(thrown(() => readFileSync('/nowhere/at/all')))).toBeNull();
  expect(machineFault(new TypeError('x is not a function'))).toBeNull();
  expect(machineFault(null)).toBeNull();
});
