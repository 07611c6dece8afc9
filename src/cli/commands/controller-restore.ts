/** The controller's own program does it: it alone knows its folder, and holds its lock meanwhile. */
import { join, resolve } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import { exec } from '../../runtime/exec.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { exclusively } from '../install/exclusive.ts';
import { shippedVersion } from '../install/shipped-version.ts';
import { refuseRoot } from './up.ts';

const TIMEOUT_MS = 600_000;

export const run = async ({ positionals, flags, paths, stdout, stderr, signal }: CommandContext): Promise<number> => {
  refuseRoot(paths);
  const instance = paths.instance === null ? [] : ['--instance', paths.instance];
  const file = resolve(positionals[0] as string);
  const args = [...instance, '--restore', file, ...(flags.force ? ['--force'] : [])];
  const program = join(shippedVersion().root, 'bin/fleet-controller');
  const done = await exclusively(paths, () => exec(program, args, { timeoutMs: TIMEOUT_MS, signal }));
  if (done.exitCode !== 0) {
    const said = done.stderr.split('\n').findLast((line) => line.startsWith(PREFIX));
    const why = said?.slice(PREFIX.length) ?? done.spawnError ?? 'the controller’s program ended without a word';
    throw new FleetError(done.exitCode === 2 ? 'INVALID_ARGUMENT' : 'FAILED_PRECONDITION', why);
  }
  stdout.write(done.stdout);
  stderr.write(`next: fleet up${instance.length > 0 ? ` ${instance.join(' ')}` : ''}\n`);
  return EXIT.done;
};

const PREFIX = 'fleet-controller: ';
