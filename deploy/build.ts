/**
 * `npm run build`: makes `dist/fleet-<version>/{bin,lib,node}`, the folder that `fleet up` and `fleet host add`
 * install, and points `dist/current` at it. Never writes outside `dist/`.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { bundle } from './build/bundle.ts';
import { checksumLines, sha256 } from './build/checksums.ts';
import { LAUNCHERS, launcherTemplate, withDigest } from './build/launcher.ts';
import { placeNode, readNodePackages } from './build/node-runtime.ts';
import { copyPackageProtos } from './build/package-dirname.ts';

const root = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const target = join(root, 'dist', `fleet-${version}`);
const partial = `${target}.partial-${process.pid}`;

const replaceLink = (link: string, to: string): void => {
  const fresh = `${link}.${process.pid}`;
  symlinkSync(to, fresh);
  renameSync(fresh, link);
};

const builtId = (folder: string): string | null => {
  try {
    return readFileSync(join(folder, 'VERSION'), 'utf8').trim();
  } catch {
    return null;
  }
};

const fill = async (): Promise<string> => {
  const lib = join(partial, 'lib');
  mkdirSync(join(partial, 'bin'), { recursive: true });
  await bundle(root, lib);
  copyPackageProtos(join(root, 'node_modules'), lib);
  copyFileSync(join(root, 'deploy/roster.schema.json'), join(lib, 'roster.schema.json'));
  cpSync(join(root, 'deploy/remote'), join(lib, 'remote'), { recursive: true });
  cpSync(join(root, 'host-agent/launch/scripts'), join(lib, 'launch'), { recursive: true });
  writeFileSync(join(lib, 'node-packages.json'), `${JSON.stringify(readNodePackages(root), null, 2)}\n`);

  const templates = Object.entries(LAUNCHERS).map(([name, program]) => [name, launcherTemplate(program)] as const);
  const digest = sha256(`${checksumLines(partial, ['lib']).join('\n')}\n${JSON.stringify(templates)}`).slice(0, 12);
  for (const [name, template] of templates) {
    const file = join(partial, 'bin', name);
    writeFileSync(file, withDigest(template, `${version}-${digest}`));
    chmodSync(file, 0o755);
  }
  writeFileSync(join(partial, 'VERSION'), `${version}-${digest}\n`);
  writeFileSync(join(partial, 'SHA256SUMS'), `${checksumLines(partial, ['bin', 'lib']).join('\n')}\n`);
  return digest;
};

try {
  const digest = await fill();
  // Node.js is large and rarely changes: it stays where an earlier build has put it.
  placeNode(root, join(root, 'dist/node', process.arch, 'node'));
  mkdirSync(join(partial, 'node/bin'), { recursive: true });
  linkSync(join(root, 'dist/node', process.arch, 'node'), join(partial, 'node/bin/node'));
  // What runs from the folder keeps running from it as long as nothing has changed.
  if (builtId(target) !== `${version}-${digest}`) {
    rmSync(target, { recursive: true, force: true });
    renameSync(partial, target);
  }
  replaceLink(join(root, 'dist/current'), basename(target));
  process.stdout.write(`dist/${basename(target)} ${version}-${digest}\n`);
} catch (error) {
  process.stderr.write(`build: ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(partial, { recursive: true, force: true });
}
