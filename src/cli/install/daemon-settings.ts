/** Settings that a daemon reads from its environment, in a file that both a unit and a detached start use. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import { writeIfDifferent } from './write-file.ts';

export type DaemonName = 'controller' | 'host-agent';

const LINE = /^([A-Z_]+)="([^"]*)"$/;
/** Means the same to systemd and to us. */
const PLAIN_VALUE = /^[^"\\$`\p{Cc}]*$/u;

export const settingsFile = (paths: Paths, name: DaemonName): string => join(paths.config, `fleet-${name}.env`);

export const readDaemonSettings = async (paths: Paths, name: DaemonName): Promise<Record<string, string>> => {
  const text = await readFile(settingsFile(paths, name), 'utf8').catch(() => '');
  const settings: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = LINE.exec(line.trim());
    if (match) settings[match[1] as string] = match[2] as string;
  }
  return settings;
};

/** True when the file changed; null takes it out. Other lines of the file stay. Throws INVALID_ARGUMENT for a value with quotes. */
export const keepDaemonSetting = async (
  paths: Paths,
  daemon: DaemonName,
  name: string,
  value: string | null,
): Promise<boolean> => {
  if (value !== null && !PLAIN_VALUE.test(value)) {
    throw new FleetError('INVALID_ARGUMENT', `${name}=${JSON.stringify(value)}: use no quotes, backslashes or dollars`);
  }
  const file = settingsFile(paths, daemon);
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  const others = lines.filter((line) => !line.startsWith(`${name}=`));
  const kept = value === null ? others : [...others, `${name}="${value}"`];
  return writeIfDifferent(file, kept.map((line) => `${line}\n`).join(''), 0o600);
};
