/**
 * In: the path of a tmux socket. Out: whether a client of ours may connect to it. A hostile server can make its
 * client run commands, and `tmux -S` checks nothing itself, so this is asked before every client.
 */
import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export type SocketVerdict =
  | { verdict: 'safe'; path: string }
  | { verdict: 'unsafe'; words: string }
  | { verdict: 'gone' };

const GROUP_OTHER = 0o077;
const GROUP_OTHER_WRITE = 0o022;
const STICKY = 0o1000;

const octal = (stat: Stats) => (stat.mode & 0o7777).toString(8).padStart(4, '0');

/** Nobody but root and us can rename what lies in it. */
const isFixedPlace = (stat: Stats, uid: number): boolean =>
  (stat.uid === 0 || stat.uid === uid) && ((stat.mode & GROUP_OTHER_WRITE) === 0 || (stat.mode & STICKY) !== 0);

const ancestorsOf = (path: string): string[] => (path === '/' ? [] : [dirname(path), ...ancestorsOf(dirname(path))]);

/**
 * The rule: the socket is ours and no symlink; its folder is a real folder and
 *  - ours and closed to everybody else (0700), as tmux's own `tmux-UID` folder is, or
 *  - a place where only root and we can replace entries, and then the socket itself is closed (0600, 0700),
 * and so is no folder above it replaceable by others. `path` has the symlinks above the folder resolved.
 */
export const checkSocket = (path: string, uid: number): SocketVerdict => {
  const unsafe = (what: string, mend: string): SocketVerdict => ({ verdict: 'unsafe', words: `${what}; ${mend}` });
  try {
    const socket = lstatSync(path);
    if (socket.isSymbolicLink()) return unsafe(`${path} is a symlink`, 'use the socket itself');
    if (!socket.isSocket()) return { verdict: 'gone' };
    if (socket.uid !== uid) return unsafe(`${path} belongs to uid ${socket.uid}`, 'only own sockets are used');
    const given = lstatSync(dirname(path));
    if (given.isSymbolicLink()) return unsafe(`${dirname(path)} is a symlink`, 'use the folder itself');
    const folder = realpathSync(dirname(path));
    for (const above of ancestorsOf(folder)) {
      if (isFixedPlace(lstatSync(above), uid)) continue;
      return unsafe(`others can replace what is in ${above}`, 'move the socket');
    }
    const stat = lstatSync(folder);
    if (stat.uid === uid && (stat.mode & GROUP_OTHER) === 0)
      return { verdict: 'safe', path: join(folder, basename(path)) };
    if (!isFixedPlace(stat, uid))
      return unsafe(`${folder} has mode ${octal(stat)} and uid ${stat.uid}`, `chmod 700 it`);
    if ((socket.mode & GROUP_OTHER) === 0) return { verdict: 'safe', path: join(folder, basename(path)) };
    return unsafe(
      `${path} is open to others (mode ${octal(socket)}, folder ${octal(stat)})`,
      'close the folder (chmod 700) or the socket (chmod 600)',
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { verdict: 'gone' };
    return unsafe(`${path} cannot be checked`, (error as Error).message);
  }
};
