/**
 * Comes in: the Node.js package that npm installed for this machine, and the lockfile. Goes out: a stripped copy
 * of its one file, and the lockfile's word on every architecture. Never downloads anything.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface NodePackage {
  name: string;
  version: string;
  /** Subresource integrity of the package's archive, from package-lock.json. */
  integrity: string;
}

/** By Node's own names of architectures. */
export type NodePackages = Record<'x64' | 'arm64', NodePackage>;

export const readNodePackages = (root: string): NodePackages => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string } | undefined>;
  };
  const of = (arch: 'x64' | 'arm64'): NodePackage => {
    const name = `node-linux-${arch}`;
    const entry = lock.packages[`node_modules/${name}`];
    if (!entry?.integrity) throw new Error(`package-lock.json has no integrity for ${name}: run npm install`);
    return { name, version: entry.version, integrity: entry.integrity };
  };
  return { x64: of('x64'), arm64: of('arm64') };
};

/** Copies Node.js to `target`, without its symbols where a `strip` is at hand; keeps a copy that is there already. */
export const placeNode = (root: string, target: string): void => {
  const source = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin/node');
  const stamp = `${target}.source`;
  const { size, mtimeMs } = statSync(source);
  const wanted = `${size} ${mtimeMs}\n`;
  try {
    if (readFileSync(stamp, 'utf8') === wanted && statSync(target).isFile()) return;
  } catch {
    // Not there yet.
  }
  mkdirSync(dirname(target), { recursive: true });
  const partial = `${target}.partial`;
  copyFileSync(source, partial);
  chmodSync(partial, 0o755);
  try {
    execFileSync('strip', [partial], { stdio: 'ignore' });
  } catch {
    // Without binutils the file is a sixth larger, and as good.
  }
  renameSync(partial, target);
  writeFileSync(stamp, wanted);
};
