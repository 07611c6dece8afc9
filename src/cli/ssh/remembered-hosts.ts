/** How each host was reached when it was added, so that `host rm` and `host upgrade` find it again. No secrets. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Paths } from '../../runtime/paths.ts';
import { writeIfDifferent } from '../install/write-file.ts';
import type { SshTarget } from './ssh-target.ts';

const Remembered = z.object({
  host: z.string(),
  user: z.string(),
  target: z.object({
    user: z.string().nullable(),
    machine: z.string(),
    port: z.number().nullable(),
    identityFile: z.string().nullable(),
  }),
});

export type RememberedHost = z.infer<typeof Remembered>;

const folder = (paths: Paths): string => join(paths.state, 'ssh/hosts');
const file = (paths: Paths, host: string, user: string): string => join(folder(paths), `${host}:${user}.json`);

export const rememberHost = (paths: Paths, host: string, user: string, target: SshTarget): Promise<boolean> =>
  writeIfDifferent(file(paths, host, user), `${JSON.stringify({ host, user, target })}\n`, 0o600);

/** Every user of that host, or of all hosts; a file that cannot be read is as if it were not there. */
export const recallHosts = async (paths: Paths, host: string | null): Promise<RememberedHost[]> => {
  const all = await readdir(folder(paths)).catch(() => []);
  const names = all.filter((name) => host === null || name.startsWith(`${host}:`));
  const found: RememberedHost[] = [];
  for (const name of names.sort()) {
    const parsed = Remembered.safeParse(
      JSON.parse(await readFile(join(folder(paths), name), 'utf8').catch(() => 'null')),
    );
    if (parsed.success) found.push(parsed.data);
  }
  return found;
};

export const forgetHost = (paths: Paths, host: string, user: string): Promise<void> =>
  rm(file(paths, host, user), { force: true });
