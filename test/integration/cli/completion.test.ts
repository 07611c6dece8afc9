import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FILES } from '../../../src/cli/files-word.ts';
import { exec } from '../../../src/runtime/exec.ts';
import { runFleetProgram } from '../../helpers/fleet-program.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-completion-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What bash itself makes of `words` and the tab key, with a `fleet` that offers `offered`. */
const typed = async (words: string, offered: string): Promise<string> => {
  const { stdout: script } = await runFleetProgram(['completion', 'bash'], { HOME: folder });
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'bin/fleet'), `#!/bin/sh\necho '${offered}'\n`);
  chmodSync(join(folder, 'bin/fleet'), 0o755);
  writeFileSync(join(folder, 'rc'), `${script}\nPS1='$ '\n`);
  // A line that is completed and then asked for, in place of being run.
  const input = `${words}\t\x01printf 'line:%s:\\n' "\x05"\nexit\n`;
  const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH ?? ''}`, TERM: 'dumb', HOME: folder };
  const { stdout } = await exec('bash', ['--noprofile', '--rcfile', join(folder, 'rc'), '-i'], {
    timeoutMs: 20_000,
    input,
    cwd: folder,
    env,
  });
  return /line:(.*?) ?:\n/.exec(stdout)?.[1] ?? stdout;
};

test('bash completes names of files where a file stands, and what is offered elsewhere', async () => {
  writeFileSync(join(folder, 'roster of us.yaml'), '');
  expect(await typed('fleet apply -f ros', FILES)).toBe('fleet apply -f roster\\ of\\ us.yaml');
  expect(await typed('fleet send ros', 'rosa')).toBe('fleet send rosa');
  expect(await typed('fleet send a ros', '')).toBe('fleet send a ros');
});
