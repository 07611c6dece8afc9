/**
 * Plain sh scripts for machines that have nothing of ours yet. Script and values travel on stdin, ahead of any
 * data, so that no value is ever an argument and the user's login shell only sees one fixed word.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BugError } from '../../domain/errors.ts';
import { shellQuoted } from '../../runtime/quote.ts';

const scriptFolder = (): string => {
  const from = import.meta.dirname;
  if (basename(from) === 'lib') return join(from, 'remote');
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const scripts = join(folder, 'deploy/remote');
    if (existsSync(scripts)) return scripts;
  }
  throw new BugError(`no remote scripts around ${from}`);
};

const NAME = /^[A-Z][A-Z_]*$/;

export interface RemoteScript {
  /** For ssh; the same for any login shell. */
  command: string;
  /** To be written to stdin before any data. */
  head: Buffer;
  /** What the script prints comes after this line: a login shell may have printed before. */
  beginMark: string;
}

/** `name` is a file of deploy/remote without `.sh`. */
export const scriptText = (name: string): string => readFileSync(join(scriptFolder(), `${name}.sh`), 'utf8');

export const remoteScript = (name: string, values: Readonly<Record<string, string>> = {}): RemoteScript => {
  const beginMark = `fleet-begin-${randomUUID()}`;
  const assignments = Object.entries(values).map(([key, value]) => {
    if (!NAME.test(key)) throw new BugError(`${key} is no name of a shell variable of ours`);
    return `${key}=${shellQuoted(value)}\n`;
  });
  const head = Buffer.from(`echo ${beginMark}\n${assignments.join('')}${scriptText(name)}`);
  // dd reads exactly as much as it is told, byte by byte; a shell may read ahead into the data.
  const command = `sh -c 'eval "$(dd bs=1 count=${head.length} 2>/dev/null)"'`;
  return { command, head, beginMark };
};

/** The script's own output, or null when it never began. */
export const outputAfter = (beginMark: string, stdout: string): string | null => {
  const at = stdout.indexOf(`${beginMark}\n`);
  return at < 0 ? null : stdout.slice(at + beginMark.length + 1);
};
