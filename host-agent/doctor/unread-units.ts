/**
 * Unit files of the fleet that lie where systemd does not read: an edit there changes nothing until it is copied. Only those
 * that say something else than what systemd reads are told.
 */
import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import { warning } from './finding.ts';

const OURS =
  /^(?:mosaic-agent@[^/]*|mosaic-tmux-holder|fleet-host-agent|fleet-controller|fleet-tunnel@[^/]*)\.service$/;
const MAX_DEPTH = 4;
const MAX_FOLDERS = 500;

/** `unitPath`: the folders that systemd reads. */
export const unreadUnitFiles = (mosaicHome: string, home: string, unitPath: readonly string[]): Finding[] => {
  const places = [mosaicHome, join(home, '.config/systemd'), join(home, '.local/share/systemd')];
  return places
    .flatMap((place) => unitFilesBelow(place, new Set(unitPath)))
    .flatMap(({ path, name }) => {
      const read = unitPath.map((folder) => join(folder, name)).find((file) => textOf(file) !== null) ?? null;
      if (read !== null && textOf(read) === textOf(path)) return [];
      return [
        warning(
          'unread unit',
          read === null ? `${path}: systemd reads no unit of that name` : `${path} says other things than ${read}`,
          `systemd does not read that folder: what is changed there has no effect${read === null ? '' : `; ${read} is what runs`}`,
          `if it is the right one: cp ${path} ${join(home, '.config/systemd/user')}/ && systemctl --user daemon-reload`,
        ),
      ];
    });
};

const unitFilesBelow = (place: string, read: ReadonlySet<string>): { path: string; name: string }[] => {
  const found: { path: string; name: string }[] = [];
  const queue = [{ folder: place, depth: 0 }];
  for (let at = 0; at < queue.length && at < MAX_FOLDERS; at += 1) {
    const { folder, depth } = queue[at]!;
    if (read.has(folder)) continue;
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      // What `enable` made are links, and are no files of their own.
      if (entry.isFile() && OURS.test(entry.name)) found.push({ path, name: entry.name });
      else if (entry.isDirectory() && depth < MAX_DEPTH) queue.push({ folder: path, depth: depth + 1 });
    }
  }
  return found;
};

const entriesOf = (folder: string): Dirent[] => {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
};

const textOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};
