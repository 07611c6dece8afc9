/** Another build of the product, of another version and as whole as the real one; its host-agent may be a broken one. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checksumLines } from '../../deploy/build/checksums.ts';
import { PRODUCT } from './fleet-pair.ts';
import type { Host } from './testbed/host.ts';

export interface OtherBuild {
  version: string;
  /** Twelve hexadecimal digits. */
  digest: string;
  /** Text of the program that is its host-agent; default: the real one. */
  hostAgent?: string;
}

export const buildId = ({ version, digest }: OtherBuild): string => `${version}-${digest}`;

/** The id of the product under test. */
export const productId = (): string => readFileSync(join(PRODUCT, 'VERSION'), 'utf8').trim();

/** Unpacks it for a user who has the product, in `~/<id>`; its Node.js is the one that is installed there. */
export const unpackOtherBuild = async (host: Host, user: string, build: OtherBuild): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-build-'));
  try {
    const real = realpathSync(PRODUCT);
    for (const name of ['bin', 'lib']) cpSync(join(real, name), join(folder, name), { recursive: true });
    const [oldVersion, id] = [productId().split('-')[0] as string, buildId(build)];
    for (const file of filesBelow(folder)) {
      if (!/\.mjs$|\/bin\/[^/]+$/.test(file)) continue;
      const text = readFileSync(file, 'utf8');
      const manifest = `{name:"mosaic-fleet",version:"${oldVersion}"`;
      const renamed = text.replace(manifest, manifest.replace(oldVersion, build.version)).replaceAll(productId(), id);
      if (renamed !== text) writeFileSync(file, renamed);
    }
    if (build.hostAgent !== undefined) writeFileSync(join(folder, 'lib/host-agent.mjs'), build.hostAgent);
    writeFileSync(join(folder, 'VERSION'), `${id}\n`);
    writeFileSync(join(folder, 'SHA256SUMS'), `${checksumLines(folder, ['bin', 'lib']).join('\n')}\n`);
    await host.copyIn(folder, `/home/${user}/${id}`, user);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  await host.mustSsh(user, `ln -s ~/.local/share/fleet/runtimes/node-* ~/${buildId(build)}/node`);
};

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
