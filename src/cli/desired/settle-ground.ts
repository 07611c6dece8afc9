/** What agents of a first roster need of this machine: a folder, a user manager that starts at boot, a policy. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { cleanText } from '../../domain/clean-text.ts';
import { ensureLinger } from '../../runtime/linger.ts';
import type { CommandContext } from '../command.ts';
import { settleHostPolicy } from '../install/host-policy.ts';
import { askYes } from '../questions.ts';

export interface Ground {
  /** Of this host's policy, as far as it is known. */
  control: string | null;
  /** on, enabled, refused, no-systemd; null for an instance, which has no units. */
  linger: string | null;
}

export const settleGround = async (
  context: CommandContext,
  folder: string,
  control: string | null,
): Promise<Ground> => {
  const say = (line: string): void => void context.stderr.write(`${cleanText(line)}\n`);
  const { paths } = context;
  const path = folder === '~' ? homedir() : folder.startsWith('~/') ? join(homedir(), folder.slice(2)) : folder;
  if (path.startsWith('/') && !existsSync(path)) {
    await mkdir(path, { recursive: true });
    say(`made ${path}`);
  }
  const linger = paths.isolated ? null : await ensureLinger(userInfo().username, paths);
  if (linger?.state === 'enabled') say('lingering is on now: agents start at boot');
  if (linger?.state === 'refused') say(`agents will not start at boot until an administrator runs: ${linger.command}`);
  return { control: await settleControl(context, control, say), linger: linger?.state ?? null };
};

const settleControl = async (
  context: CommandContext,
  control: string | null,
  say: (line: string) => void,
): Promise<string | null> => {
  const { flags, stdin, paths } = context;
  if (control === 'deploy' && !flags.deploy) return control;
  const question = 'let callers here make agents as the roster says (host policy deploy)?';
  if (!flags.deploy && !(stdin.isTTY && (await askYes(context, question, true)))) return control;
  const { text } = await settleHostPolicy(paths, 'deploy');
  say(`host policy: ${text}`);
  return 'deploy';
};
