/** `fleet host prune`: what an upgrade runs on the far side at its end. Prints the versions that it removed. */
import { homedir } from 'node:os';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { exclusively } from '../install/exclusive.ts';
import { installLayout } from '../install/layout.ts';
import { pruneVersions } from '../install/prune-versions.ts';

export const run = ({ paths, stdout }: CommandContext): Promise<number> =>
  exclusively(paths, async () => {
    for (const name of await pruneVersions(installLayout(homedir()))) stdout.write(`${name}\n`);
    return EXIT.done;
  });
