/**
 * The program as it ships, copied for this run: a build that somebody makes meanwhile changes nothing under it.
 * Comes in: `dist/current`; goes out: paths to run.
 */
import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exec } from '../../../src/runtime/exec.ts';

const ROOT = join(import.meta.dirname, '../../..');
const BUILD_TIMEOUT_MS = 120_000;

export interface Shipped {
  /** The Node.js that ships. */
  node: string;
  /** What users type. */
  fleet: string;
  /** Launchers of the daemons, as they ship but for the module that lets the bench ask about their loops. */
  controller: string;
  hostAgent: string;
}

const PRELOAD = join(import.meta.dirname, 'loop-preload.mjs');
const START = 'exec "$root/node/bin/node" ';

export const buildShipped = async (): Promise<void> => {
  const result = await exec(process.execPath, [join(ROOT, 'deploy/build.ts')], { timeoutMs: BUILD_TIMEOUT_MS });
  if (result.exitCode !== 0) throw new Error(`npm run build: ${result.stderr || result.spawnError}`);
};

export const copyShipped = (folder: string): Shipped => {
  const from = realpathSync(join(ROOT, 'dist/current'));
  for (const part of ['bin', 'lib', 'VERSION']) cpSync(join(from, part), join(folder, part), { recursive: true });
  mkdirSync(join(folder, 'node/bin'), { recursive: true });
  const node = join(folder, 'node/bin/node');
  symlinkSync(join(ROOT, 'dist/node', process.arch, 'node'), node);
  return {
    node,
    fleet: join(folder, 'bin/fleet'),
    controller: withPreload(join(folder, 'bin/fleet-controller')),
    hostAgent: withPreload(join(folder, 'bin/fleet-host-agent')),
  };
};

const withPreload = (launcher: string): string => {
  const text = readFileSync(launcher, 'utf8');
  if (!text.includes(START)) throw new Error(`${launcher} starts Node.js in another way than the bench knows`);
  writeFileSync(launcher, text.replace(START, `${START}--import "${PRELOAD}" `));
  return launcher;
};
