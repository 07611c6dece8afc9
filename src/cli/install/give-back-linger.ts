/** Linger that was turned on a moment ago by a start that failed: off again, unless something lives by it already. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { disableLinger } from '../../runtime/linger.ts';
import type { Paths } from '../../runtime/paths.ts';
import { installLayout } from './layout.ts';

/** True when it is off. Without it, and with nobody logged in, the user manager ends and takes every unit with it. */
export const giveBackLinger = async (paths: Paths): Promise<boolean> =>
  !isNeeded() && (await disableLinger(userInfo().username, paths));

const isNeeded = (): boolean => {
  const { units } = installLayout(homedir());
  const isWanted = filesIn(units).some((name) => name.endsWith('.wants') && filesIn(join(units, name)).length > 0);
  return isWanted || filesIn('/proc').some((name) => /^\d+$/.test(name) && isOfManager(name));
};

/** The manager itself, its bus and our own units do not count. */
const isOfManager = (pid: string): boolean => {
  const service = `/user@${userInfo().uid}.service/`;
  const path = textOf(`/proc/${pid}/cgroup`)
    .split('\n')
    .find((line) => line.includes(service));
  const below = path?.slice(path.indexOf(service) + service.length) ?? 'init.scope';
  return !/^init\.scope|dbus|(^|\/)fleet-/.test(below);
};

const filesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
