/**
 * The PATH of an agent, resolved at its start: a launch from a unit reads no ~/.bashrc, and what only that one adds would be
 * "command not found". Comes in: the environment of the launch. Goes out: existing folders, each once, in order.
 */
import { accessSync, closeSync, constants, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { homePath } from '../../src/runtime/home-path.ts';

/** Where the launch itself has no PATH. */
const SANE = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface PathSources {
  home: string;
  /** MOSAIC_RUNTIME_BIN: one folder, or several with colons. */
  runtimeBin: string | null;
  /** PATH of the roster or the env file, else that of the unit. */
  basePath: string | null;
  /** NPM_CONFIG_PREFIX; else ~/.npmrc is asked. */
  npmPrefix: string | null;
}

export const searchPath = ({ home, runtimeBin, basePath, npmPrefix }: PathSources): string => {
  const prefix = npmPrefix || prefixOfNpmrc(home);
  const first = [
    ...(runtimeBin ?? '').split(':').filter((folder) => folder !== ''),
    ...(prefix ? [join(homePath(prefix, home), 'bin')] : []),
    join(home, '.npm-global/bin'),
    join(home, '.local/bin'),
  ].map((folder) => homePath(folder, home));
  const rest = (basePath || SANE).split(':').filter(isAbsolute);
  return [...new Set([...first, ...rest])].filter((folder) => isFolder(folder) && !folder.includes(':')).join(':');
};

/** Full path of a program as a shell would find it; null where it would not. A relative path is below `cwd`. */
export const findProgram = (name: string, path: string, cwd: string): string | null => {
  const candidates = name.includes('/')
    ? [isAbsolute(name) ? name : join(cwd, name)]
    : path.split(':').map((folder) => join(folder, name));
  return candidates.find(isExecutable) ?? null;
};

/** What a script is run by, as its first line says: a program of npm is found where npm is, its node perhaps nowhere. */
export const interpreterOf = (program: string): string | null => {
  const [, first, second] = /^#! *(\S+)(?: +(?:-S +)?(\S+))?/.exec(firstBytes(program)) ?? [];
  return first === undefined ? null : /\/env$/.test(first) && second !== undefined ? second : first;
};

/** As many as the kernel reads. */
const firstBytes = (path: string): string => {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(256);
      return bytes.toString('utf8', 0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
};

/** npm's own word on where it installs for the user; its default is beside node, which is on the PATH or not. */
const prefixOfNpmrc = (home: string): string | null => {
  try {
    const lines = readFileSync(join(home, '.npmrc'), 'utf8').split('\n');
    const [, value] = lines.map((line) => /^\s*prefix\s*=\s*(.+?)\s*$/.exec(line)).findLast((match) => match) ?? [];
    return value?.replace(/^(["'])(.*)\1$/, '$2') ?? null;
  } catch {
    return null;
  }
};

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};
