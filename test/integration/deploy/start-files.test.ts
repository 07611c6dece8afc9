import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bundle } from '../../../deploy/build/bundle.ts';

const root = join(import.meta.dirname, '../../..');
const lib = mkdtempSync(join(tmpdir(), 'fleet-lib-'));

afterAll(() => rmSync(lib, { recursive: true, force: true }));

/** The files that are loaded before the first line of `file` runs, itself included. */
const loadedBy = (file: string, seen = new Set<string>()): Set<string> => {
  seen.add(file);
  const text = readFileSync(join(lib, file), 'utf8');
  for (const [, path] of text.matchAll(/\b(?:from|import)\s*["']\.\/([\w.-]+\.mjs)["']/g)) {
    if (!seen.has(path as string)) loadedBy(path as string, seen);
  }
  return seen;
};

// Each file costs a start more than what stands in it. A verb that is loaded later and shares other code with the start
// than its siblings cuts the start into one file more: see the import of specs.ts in machines.ts. The fourth is what the
// line of a context has in common with the start: the client is below the verbs, and may not name them.
test('fleet starts from four files', async () => {
  await bundle(root, lib);
  const files = [...loadedBy('fleet.mjs')];
  expect(files.length, files.join(' ')).toBeLessThanOrEqual(4);
});
