/**
 * The whole of a controller in one new file, made while it runs: its database, its keys, its settings. What was written is
 * read back and compared before the file gets its name.
 */
import { X509Certificate } from 'node:crypto';
import { access, constants, link, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { FleetError } from '../../src/domain/errors.ts';
import { authorityFingerprint } from '../../src/identity/authority.ts';
import { parseKey } from '../../src/identity/key.ts';
import { type BackupAbout, type BackupContents, copyDatabase, fillBackup, readBackup } from '../store/backup-file.ts';
import { type Counted, readCopy } from './read-copy.ts';

/** Keys and certificates; the store's own files and its lock are none. */
const OF_THE_CELL = /^[a-z-]{1,40}\.(key|crt)$/;
/** As a file of the backup. */
export const SETTINGS_FILE = 'fleet-controller.env';

export interface BackUpContext {
  /** Where the controller keeps all that is its own. */
  folder: string;
  /** Its settings as a person wrote them; there may be none. */
  settingsPath: string;
  cell: string;
  version: string;
  nowMs: () => number;
}

/** ALREADY_EXISTS where something bears the name, INVALID_ARGUMENT where no file can be made; leaves nothing when it fails. */
export const backUp = async (path: string, context: BackUpContext): Promise<BackupAbout & { bytes: number }> => {
  if (!isAbsolute(path)) throw new FleetError('INVALID_ARGUMENT', `${JSON.stringify(path)} is no absolute path`);
  const taken = new FleetError('ALREADY_EXISTS', `${path} is there already: nothing is overwritten, name another file`);
  if (await stat(path).catch(() => null)) throw taken;
  await requireFolder(dirname(path));
  const draft = join(dirname(path), `.fleet-backup-${process.pid}-${context.nowMs()}.partial`);
  try {
    await copyDatabase(join(context.folder, 'controller.db'), draft);
    const written = { about: await aboutOf(draft, context), files: await filesOf(context) };
    await fillBackup(draft, written);
    compare({ ...readBackup(draft), counted: await readCopy(draft) }, written, path);
    const { size } = await stat(draft);
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? taken : error;
    });
    return { ...written.about, bytes: size };
  } catch (cause) {
    if (cause instanceof FleetError) throw cause;
    const { message, code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall === 'open') {
      throw new FleetError(
        'INVALID_ARGUMENT',
        `no backup was made: no file can be made in ${dirname(path)} (${code})`,
        {
          cause,
        },
      );
    }
    throw new FleetError('FAILED_PRECONDITION', `no backup was made at ${path}: ${message}`, { cause });
  } finally {
    for (const left of [draft, `${draft}-journal`, `${draft}-wal`, `${draft}-shm`]) await rm(left, { force: true });
  }
};

const requireFolder = async (folder: string): Promise<void> => {
  const refused = (why: string): FleetError => new FleetError('INVALID_ARGUMENT', `no backup was made: ${why}`);
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw refused(`there is no folder ${folder}: make it, or name another`);
    if (error.code === 'ENOTDIR') return null;
    throw refused(`${folder} cannot be looked at (${error.code}): name another folder`);
  });
  if (!found?.isDirectory()) throw refused(`${folder} is no folder: name a file in one`);
  await access(folder, constants.W_OK | constants.X_OK).catch(() => {
    throw refused(`the controller’s user may not write in ${folder}: name another folder`);
  });
};

const filesOf = async ({ folder, settingsPath }: BackUpContext): Promise<Map<string, Uint8Array>> => {
  const files = new Map<string, Uint8Array>();
  for (const name of await readdir(folder)) {
    if (OF_THE_CELL.test(name)) files.set(name, await readFile(join(folder, name)));
  }
  const settings = await readFile(settingsPath).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (settings !== null) files.set(SETTINGS_FILE, settings);
  // As they are read back.
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
};

const aboutOf = async (copy: string, context: BackUpContext): Promise<BackupAbout> => {
  const { cell, version, folder, nowMs } = context;
  const fingerprint = authorityFingerprint(new X509Certificate(await readFile(join(folder, 'ca.crt'))));
  return { cell, madeMs: nowMs(), version, fingerprint, ...(await readCopy(copy)) };
};

/** DATA_LOSS when what the disk gives back is not what was written, or is not whole. */
const compare = (read: BackupContents & { counted: Counted }, written: BackupContents, path: string): void => {
  const bytesOf = ({ about, files }: BackupContents): string =>
    JSON.stringify([about, [...files].map(([name, content]) => [name, Buffer.from(content).toString('base64')])]);
  const { hosts, entries, audit, digest } = written.about;
  const isSame = bytesOf(read) === bytesOf(written);
  if (!isSame || JSON.stringify(read.counted) !== JSON.stringify({ hosts, entries, audit, digest })) {
    throw new FleetError('DATA_LOSS', `${path}: what was written reads back differently; no backup was made`);
  }
  requireKeys(read, path);
};

/** DATA_LOSS unless the authority's key is there, and is that of its certificate. */
export const requireKeys = ({ files, about }: BackupContents, path: string): void => {
  const key = files.get('ca.key');
  const certificate = files.get('ca.crt');
  if (key !== undefined && certificate !== undefined && files.has('audit.key')) {
    const authority = new X509Certificate(certificate);
    const isWhole = authority.checkPrivateKey(parseKey(key, `${path}: ca.key`));
    if (isWhole && authorityFingerprint(authority) === about.fingerprint) return;
  }
  throw new FleetError('DATA_LOSS', `${path} does not hold the keys of cell ${about.cell}: it is no whole backup`);
};
