import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pathNote } from '../../../../src/cli/install/on-path.ts';

let home: string;
let bin: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fleet-on-path-'));
  bin = join(home, '.local/bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'fleet'), '#!/bin/sh\n', { mode: 0o755 });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('a shell that finds fleet is told nothing', () => {
  expect(pathNote(`/usr/bin:${bin}`)).toBeNull();
});

test('a shell of before ~/.local/bin was made is told what to type before the next command', () => {
  const note = 'this shell does not find fleet yet: export PATH="$HOME/.local/bin:$PATH", or log in anew';
  expect(pathNote('/nowhere:/also/nowhere')).toBe(note);
  expect(pathNote('')).toBe(note);
  expect(pathNote(undefined)).toBe(note);
});

test('a file of that name that cannot be run is not fleet', () => {
  writeFileSync(join(home, 'fleet'), '');
  expect(pathNote(home)).not.toBeNull();
});
