/** Mosaic heartbeats (v1) of a scripted agent. An empty folder: of an agent that has none. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const BEAT_MS = 5_000;

export const beat = (folder: string, name: string, status: 'ok' | 'busy', ageSeconds = 0): void => {
  if (folder === '') return;
  const ts = Math.floor(Date.now() / 1000) - ageSeconds;
  const file = join(folder, `${name}.hb`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.tmp`, `ts=${ts}\npid=${process.pid}\nstatus=${status}\n`);
  renameSync(`${file}.tmp`, file);
};
