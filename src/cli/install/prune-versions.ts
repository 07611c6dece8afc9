/**
 * Removes versions and runtimes that nothing uses any more. Never one that `current`, a unit, a running process, or the
 * way back from an upgrade names, however old it is.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type InstallLayout, KEPT_VERSIONS } from './layout.ts';
import { removeLeftovers } from './leftovers.ts';

/** Names of the versions that went. The newest of the others stays, and more of them up to so many in all. */
export const pruneVersions = async (layout: InstallLayout, proc = '/proc'): Promise<string[]> => {
  for (const folder of [layout.versions, layout.runtimes]) await removeLeftovers(folder);
  const names = await namesIn(layout.versions);
  const gone = names.length > KEPT_VERSIONS ? await spareVersions(layout, names, proc) : [];
  for (const name of gone) {
    await rm(join(layout.versions, name), { recursive: true, force: true });
    await rm(join(layout.compileCaches, name), { recursive: true, force: true });
  }
  await pruneRuntimes(layout);
  return gone.sort();
};

const spareVersions = async (layout: InstallLayout, names: readonly string[], proc: string): Promise<string[]> => {
  const used = await versionsInUse(layout, names, proc);
  const aged = await Promise.all(
    names.map(async (name) => ({ name, mtimeMs: (await stat(join(layout.versions, name))).mtimeMs })),
  );
  return aged
    .filter(({ name }) => !used.has(name))
    .sort((a, b) => b.mtimeMs - a.mtimeMs)
    .map(({ name }) => name)
    .slice(Math.max(1, KEPT_VERSIONS - used.size));
};

/** Those of `names` that something names which runs, or would be started. */
const versionsInUse = async (
  layout: InstallLayout,
  names: readonly string[],
  proc: string,
): Promise<ReadonlySet<string>> => {
  const used = new Set<string>();
  const look = (text: string | Buffer): void => {
    for (const name of names) if (text.includes(name)) used.add(name);
  };
  look(await readlink(layout.current).catch(() => ''));
  const files = [...(await filesBelow(layout.units)), ...(await filesBelow(layout.upgrade))];
  for (const file of files) look(await readFile(file, 'utf8').catch(() => ''));
  for (const pid of readdirSync(proc).filter((entry) => /^\d+$/.test(entry))) {
    // A program that was started through `current` names its version only by its compile cache.
    for (const file of ['cmdline', 'environ']) look(ofProcess(join(proc, pid, file)));
  }
  return used;
};

/** Empty for a process that has ended, or is somebody else's. */
const ofProcess = (file: string): Buffer | string => {
  try {
    return readFileSync(file);
  } catch {
    return '';
  }
};

const filesBelow = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const namesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.'));

const pruneRuntimes = async (layout: InstallLayout): Promise<void> => {
  const used = await Promise.all(
    (await namesIn(layout.versions)).map((name) =>
      readlink(join(layout.versions, name, 'node')).then(basename, () => null),
    ),
  );
  for (const name of await namesIn(layout.runtimes)) {
    if (!used.includes(name)) await rm(join(layout.runtimes, name), { recursive: true, force: true });
  }
};
