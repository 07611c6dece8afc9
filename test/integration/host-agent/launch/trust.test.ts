/** Runtimes that ask whether they may trust a folder are warned of before they start there, by their own files. */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { preflight } from '../../../../host-agent/launch/preflight.ts';
import { readLaunch } from '../../../../host-agent/launch/read-launch.ts';
import { LaunchBed } from './launch-bed.ts';

let bed: LaunchBed;
beforeEach(() => {
  bed = new LaunchBed();
});
afterEach(() => bed.close());

describe('a runtime that would first ask whether it may trust the folder', () => {
  const trust = async (): Promise<string[]> => {
    const read = await readLaunch('a', bed.ground, bed.own);
    if (read.kind !== 'read') throw new Error(read.words);
    const found = await preflight(read.agent, { ground: bed.ground, starting: false, tmuxProblem: null });
    return found.warnings.filter(({ code }) => code === 'trust').map(({ words }) => words);
  };

  test('claude is warned of until the folder, or one above it, was trusted', async () => {
    bed.roster({ name: 'a', runtime: 'claude', working_directory: '~/work/x' });
    expect(await trust()).toEqual([
      expect.stringMatching(/^claude has not been told to trust .*\/work\/x: it will wait/),
    ]);
    const say = (folder: string, accepted: boolean) =>
      writeFileSync(
        join(bed.home, '.claude.json'),
        JSON.stringify({ projects: { [folder]: { hasTrustDialogAccepted: accepted } } }),
      );
    say(`${bed.home}/work`, false);
    expect((await trust()).length).toBe(1);
    say(`${bed.home}/work`, true);
    expect(await trust()).toEqual([]);
  });

  test('claude goes by the folder itself, not by the link that leads there', async () => {
    mkdirSync(join(bed.home, 'data/x'), { recursive: true });
    symlinkSync('data', join(bed.home, 'work'));
    bed.roster({ name: 'a', runtime: 'claude', working_directory: '~/work/x' });
    const accepted = { hasTrustDialogAccepted: true };
    const projects = { [`${realpathSync(bed.home)}/data/x`]: accepted };
    writeFileSync(join(bed.home, '.claude.json'), JSON.stringify({ projects }));
    expect(await trust()).toEqual([]);
  });

  describe('codex, by its own file:', () => {
    const say = (toml: string): void => {
      mkdirSync(join(bed.home, '.codex'), { recursive: true });
      writeFileSync(join(bed.home, '.codex/config.toml'), `model = "m"\n${toml}\n[tui]\n`);
    };
    const table = (folder: string, level = 'trusted'): string =>
      `[projects."${bed.home}/${folder}"]\ntrust_level = "${level}"`;

    test('it asks inside a repository, until that was trusted', async () => {
      mkdirSync(join(bed.home, 'work/sub'), { recursive: true });
      bed.roster({ name: 'a', runtime: 'codex', working_directory: '~/work/sub' });
      expect(await trust()).toEqual([]);
      mkdirSync(join(bed.home, 'work/.git'));
      expect((await trust()).length).toBe(1);
      for (const [toml, warnings] of [
        [table('work', 'untrusted'), 1],
        [table('work'), 0],
        [table('work/sub'), 0],
        [`[projects]\n"${bed.home}/work" = { trust_level = "trusted" }`, 0],
        [`[projects]\n'${bed.home}/work' = { note = "trusted" }`, 1],
        // A folder above the repository says nothing of it.
        [table('.'), 1],
        [table(''), 1],
      ] as const) {
        say(toml);
        expect((await trust()).length, toml).toBe(warnings);
      }
    });

    test('a worktree is trusted with its main repository', async () => {
      mkdirSync(join(bed.home, 'tree'));
      writeFileSync(join(bed.home, 'tree/.git'), `gitdir: ${bed.home}/work/.git/worktrees/tree\n`);
      bed.roster({ name: 'a', runtime: 'codex', working_directory: '~/tree' });
      expect((await trust()).length).toBe(1);
      say(table('work'));
      expect(await trust()).toEqual([]);
    });
  });
});
