/**
 * Comes in: a shipped folder. Goes out: `versions/<id>`, `current` turned to it, `~/.local/bin/fleet`, and no more
 * than three versions kept that nothing uses. Never a half version under its final name; a second run changes nothing.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, cp, lstat, mkdir, mkdtemp, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import type { InstallLayout } from './layout.ts';
import { PARTIAL_PREFIX } from './leftovers.ts';
import { pruneVersions } from './prune-versions.ts';
import type { ShippedVersion } from './shipped-version.ts';
import { pointLink } from './write-file.ts';

export interface Installed {
  /** Folder of this version. */
  root: string;
  changed: boolean;
  /** Why `fleet` is not on the user's PATH through our link, or null. */
  commandNote: string | null;
}

export const installVersion = async (shipped: ShippedVersion, layout: InstallLayout): Promise<Installed> => {
  const root = join(layout.versions, shipped.id);
  await mkdir(layout.versions, { recursive: true, mode: 0o755 });
  const placed = (await isThere(root)) ? false : await placeVersion(shipped, layout, root);
  const turned = await pointLink(layout.current, relative(dirname(layout.current), root));
  const command = await linkCommand(layout);
  // Whoever installs has decided: what an upgrade under way would go back to holds no longer.
  await rm(layout.upgrade, { recursive: true, force: true });
  await pruneVersions(layout);
  return { root, changed: placed || turned || command.changed, commandNote: command.note };
};

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const placeVersion = async (shipped: ShippedVersion, layout: InstallLayout, root: string): Promise<true> => {
  const partial = await mkdtemp(join(layout.versions, PARTIAL_PREFIX));
  try {
    for (const name of ['bin', 'lib', 'VERSION', 'SHA256SUMS']) {
      await cp(join(shipped.root, name), join(partial, name), { recursive: true });
    }
    await verifyChecksums(partial);
    const runtime = await placeRuntime(shipped, layout);
    await symlink(join('../../runtimes', basename(runtime)), join(partial, 'node'));
    // Another run may have been faster; both copied the same bytes.
    await rename(partial, root).catch(async (error) => {
      if (!(await isThere(root))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return true;
};

/** Throws DATA_LOSS naming the first file that differs from SHA256SUMS. */
const verifyChecksums = async (root: string): Promise<void> => {
  const lines = (await readFile(join(root, 'SHA256SUMS'), 'utf8')).trim().split('\n');
  for (const line of lines) {
    const [expected, path] = line.split('  ') as [string, string];
    const actual = await fileSha256(join(root, path)).catch(() => 'missing');
    if (actual !== expected) {
      throw new FleetError('DATA_LOSS', `${join(root, path)} is not the file that was built: install fleet again`);
    }
  }
};

export const fileSha256 = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
};

/** Folder of the Node.js that this version runs on: by its checksum, so that versions share it. */
const placeRuntime = async (shipped: ShippedVersion, layout: InstallLayout): Promise<string> => {
  const id = runtimeId(await fileSha256(shipped.nodeFile), process.arch);
  const folder = join(layout.runtimes, id);
  if (await isThere(join(folder, 'bin/node'))) return folder;
  await mkdir(layout.runtimes, { recursive: true, mode: 0o755 });
  const partial = await mkdtemp(join(layout.runtimes, PARTIAL_PREFIX));
  try {
    await mkdir(join(partial, 'bin'));
    await cp(shipped.nodeFile, join(partial, 'bin/node'));
    await rename(partial, folder).catch(async (error) => {
      if (!(await isThere(folder))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
};

/** Name of a runtime's folder. */
export const runtimeId = (sha256: string, arch: string): string => `node-${arch}-${sha256.slice(0, 16)}`;

const linkCommand = async (layout: InstallLayout): Promise<{ changed: boolean; note: string | null }> => {
  const target = join(relative(dirname(layout.command), layout.current), 'bin/fleet');
  const present = await lstat(layout.command).catch(() => null);
  const isOurs =
    present?.isSymbolicLink() && (await readlink(layout.command)).endsWith('share/fleet/current/bin/fleet');
  if (present && !isOurs) {
    return {
      changed: false,
      note: `${layout.command} is not ours and was left alone: run ${layout.current}/bin/fleet`,
    };
  }
  const changed = await pointLink(layout.command, target);
  return { changed, note: null };
};
