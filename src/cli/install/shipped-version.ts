/**
 * Comes in: where this program runs from. Goes out: the shipped folder to install on this or another machine.
 * Never a checkout: from one, the last `npm run build` is what ships.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';

export interface ShippedVersion {
  /** Folder with bin, lib and node. */
  root: string;
  /** `<version>-<digest>`, the name of its folder once installed. */
  id: string;
  /** The Node.js of this machine's architecture. */
  nodeFile: string;
}

const VERSION_ID = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?-[0-9a-f]{12}$/;

/** Throws FAILED_PRECONDITION where nothing has been built yet. */
export const shippedVersion = (): ShippedVersion => {
  const from = import.meta.dirname;
  const root = basename(from) === 'lib' ? dirname(from) : builtFolder(from);
  const id = readFileSync(join(root, 'VERSION'), 'utf8').trim();
  if (!VERSION_ID.test(id))
    throw new FleetError('DATA_LOSS', `${join(root, 'VERSION')} is damaged: install fleet again`);
  return { root, id, nodeFile: realpathSync(join(root, 'node/bin/node')) };
};

const builtFolder = (from: string): string => {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    if (!existsSync(join(folder, 'package.json'))) continue;
    const built = join(folder, 'dist/current');
    if (existsSync(join(built, 'VERSION'))) return realpathSync(built);
    throw new FleetError('FAILED_PRECONDITION', `nothing is built in ${folder}: run npm run build there`);
  }
  throw new FleetError('FAILED_PRECONDITION', `no shipped folder around ${from}: install fleet again`);
};

/** `1.0.0` of `1.0.0-0123456789ab`. */
export const versionOf = (id: string): string => id.slice(0, id.lastIndexOf('-'));
