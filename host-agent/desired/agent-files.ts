/**
 * What fleet writes and deletes of one agent on its host, whole or not at all. What somebody else wrote is never lost: it is
 * kept beside what takes its place.
 */
import { copyFile, readFile, realpath, rm, stat } from 'node:fs/promises';
import { writeWhole } from '../../src/runtime/write-whole.ts';

const UNIT_MODE = 0o644;
export const PRIVATE_MODE = 0o600;

/** `keptAs`: where the one before is kept. */
export const writeUnit = async (path: string, text: string, keptAs: string | null): Promise<void> => {
  if (keptAs !== null) await copyFile(path, keptAs);
  await writeWhole(path, text, UNIT_MODE);
};

/** Of an operator's own file, which keeps its mode and stays a link where it is one. */
export const editKept = async (path: string, keptAs: string, edit: (text: string) => string): Promise<void> => {
  const target = await realpath(path);
  const { mode } = await stat(target);
  await copyFile(target, keptAs);
  await writeWhole(target, edit(await readFile(target, 'utf8')), mode & 0o777);
};

export const deleteAll = async (paths: readonly string[]): Promise<void> => {
  for (const path of paths) await rm(path, { recursive: true, force: true });
};

/** `x.before-2026-01-02T03-04-05-000Z`: no name that systemd or a roster reads. */
export const beforeName = (path: string, nowMs: number): string =>
  `${path}.before-${new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-')}`;
