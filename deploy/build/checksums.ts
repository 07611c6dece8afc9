/** Comes in: a shipped folder. Goes out: its SHA256SUMS, in the format that `sha256sum -c` reads. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** One `<hex>  <path>` line for each file below the given folders, sorted by path. */
export const checksumLines = (root: string, folders: readonly string[]): string[] =>
  folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name))),
    )
    .sort()
    .map((path) => `${sha256(readFileSync(join(root, path)))}  ${path}`);

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
