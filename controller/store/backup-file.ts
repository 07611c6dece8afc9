/**
 * A backup: a copy of the store's database that holds the cell's files and what it is about in tables of its own. One file,
 * mode 0600, readable with any SQLite.
 */
import { createHash } from 'node:crypto';
import { chmodSync, closeSync, copyFileSync, openSync } from 'node:fs';
import { open as openFile, rm } from 'node:fs/promises';
import { backup, DatabaseSync } from 'node:sqlite';
import * as z from 'zod/mini';
import { FleetError } from '../../src/domain/errors.ts';
import { toStoreError } from './sqlite-errors.ts';

const aboutSchema = z.object({
  cell: z.string(),
  madeMs: z.number(),
  version: z.string(),
  /** Of the authority that signs. */
  fingerprint: z.string(),
  hosts: z.number(),
  entries: z.number(),
  /** The newest record of the audit in it. */
  audit: z.object({ sequence: z.number(), hash: z.string() }),
  /** SHA-256 of the store's entries, in their order: SQLite itself finds no byte that changed inside of one. */
  digest: z.string(),
});

const SLICE = 300;
const ALL_PAGES = 2 ** 31 - 1;

export type BackupAbout = z.infer<typeof aboutSchema>;

export interface BackupContents {
  about: BackupAbout;
  files: ReadonlyMap<string, Uint8Array>;
}

const TABLES = `CREATE TABLE backup_file (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT;
  CREATE TABLE backup_about (one INTEGER PRIMARY KEY CHECK (one = 1), json TEXT NOT NULL, seal TEXT NOT NULL) STRICT;`;

/** Of what it is about, in whose text the digest of the entries stands, and of the files. */
const sealOf = (json: string, files: ReadonlyMap<string, Uint8Array>): string => {
  const sum = createHash('sha256').update(json);
  for (const [name, content] of files) sum.update(`${name} ${content.length} `).update(content);
  return sum.digest('hex');
};

/** The database as it is at one moment, while others write to it; `path` must not be there. */
export const copyDatabase = async (database: string, path: string): Promise<void> => {
  closeSync(openSync(path, 'wx', 0o600));
  try {
    // A connection of its own, and all pages in one step: writers are not held up, and cannot make it begin anew.
    using source = new DatabaseSync(database, { readOnly: true });
    await backup(source, path, { rate: ALL_PAGES });
  } catch (error) {
    throw toStoreError(error, path);
  }
};

/** On disk when it resolves. */
export const fillBackup = async (path: string, { about, files }: BackupContents): Promise<void> => {
  try {
    using db = new DatabaseSync(path);
    // One file, without a log beside it.
    db.exec(`PRAGMA journal_mode = DELETE; BEGIN; ${TABLES}`);
    const put = db.prepare('INSERT INTO backup_file VALUES (?, ?)');
    for (const [name, content] of files) put.run(name, content);
    const json = JSON.stringify(about);
    db.prepare('INSERT INTO backup_about VALUES (1, ?, ?)').run(json, sealOf(json, files));
    db.exec('COMMIT');
  } catch (error) {
    throw toStoreError(error, path);
  }
  const handle = await openFile(path, 'r');
  await handle.sync();
  await handle.close();
};

/** Every entry, in slices short enough for nobody to wait for them. DATA_LOSS where one cannot be read. */
export async function* entriesOf(path: string): AsyncGenerator<{ key: string; value: Uint8Array }> {
  using db = new DatabaseSync(path, { readOnly: true });
  const page = db.prepare(`SELECT key, value FROM entry WHERE key > ? ORDER BY key LIMIT ${SLICE}`);
  for (let after = ''; ; ) {
    let entries: { key: string; value: Uint8Array }[];
    try {
      entries = page.all(after) as { key: string; value: Uint8Array }[];
    } catch (error) {
      throw toStoreError(error, path);
    }
    yield* entries;
    if (entries.length < SLICE) return;
    after = entries.at(-1)?.key ?? '';
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** DATA_LOSS unless every page is sound. Takes as long as the file is large, and nothing else runs meanwhile. */
export const requireSound = (path: string): void => {
  try {
    using db = new DatabaseSync(path, { readOnly: true });
    const [verdict] = Object.values(db.prepare('PRAGMA integrity_check(1)').get() ?? {});
    if (verdict === 'ok') return;
    throw new FleetError('DATA_LOSS', `${path} is damaged (${verdict}): use another backup; nothing was changed`);
  } catch (error) {
    throw toStoreError(error, path);
  }
};

/** INVALID_ARGUMENT for a file that is no backup, DATA_LOSS for a damaged one. */
export const readBackup = (path: string): BackupContents => {
  try {
    using db = new DatabaseSync(path, { readOnly: true });
    const tables = db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name IN ('backup_file', 'backup_about')");
    if (tables.get()?.n !== 2)
      throw new FleetError('INVALID_ARGUMENT', `${path} is a database, but no backup of fleet`);
    const rows = db.prepare('SELECT name, content FROM backup_file ORDER BY name').all();
    const files = new Map(
      (rows as { name: string; content: Uint8Array }[]).map(({ name, content }) => [name, content]),
    );
    const { json, seal } = db.prepare('SELECT json, seal FROM backup_about').get() ?? {};
    if (sealOf(String(json), files) !== seal) {
      throw new FleetError('DATA_LOSS', `${path} is not as it was written: use another backup; nothing was changed`);
    }
    return { about: aboutSchema.parse(JSON.parse(String(json))), files };
  } catch (cause) {
    if (cause instanceof FleetError) throw cause;
    if ((cause as { errcode?: number }).errcode === 26) {
      throw new FleetError('INVALID_ARGUMENT', `${path} is no backup of fleet`, { cause });
    }
    throw new FleetError('DATA_LOSS', `${path} cannot be read as a backup: ${(cause as Error).message}`, { cause });
  }
};

/** The database alone, at `database`; nothing of the files stays in its pages. */
export const extractDatabase = async (path: string, database: string): Promise<void> => {
  try {
    copyFileSync(path, database);
    chmodSync(database, 0o600);
    using db = new DatabaseSync(database);
    db.exec('PRAGMA secure_delete = ON; DROP TABLE backup_file; DROP TABLE backup_about; VACUUM;');
  } catch (error) {
    await rm(database, { force: true });
    throw toStoreError(error, database);
  }
};
