/**
 * A backup put in its place: a controller's folder as the backup has it, made beside and renamed as a whole. What stood there
 * is kept. Its audit says from its next record on that it was restored.
 */
import { access, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetError } from '../../src/domain/errors.ts';
import { authorityCell } from '../../src/identity/authority.ts';
import { writePrivateFile } from '../../src/identity/private-file.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { writeNewFile } from '../../src/runtime/write-whole.ts';
import { AuditLog } from '../audit/audit-log.ts';
import { RESTORE_VERB } from '../audit/audit-record.ts';
import {
  type BackupAbout,
  type BackupContents,
  extractDatabase,
  readBackup,
  requireSound,
} from '../store/backup-file.ts';
import { openRecords } from '../store/records.ts';
import { acquireSoleOwnership } from '../store/sole-owner.ts';
import { SqliteStore } from '../store/sqlite-store.ts';
import { requireKeys, SETTINGS_FILE } from './back-up.ts';
import { keepAuthorities } from './keep-authorities.ts';
import { type KeptDenials, keepDenials } from './keep-denials.ts';
import { readCopy } from './read-copy.ts';
import { voidOpen } from './void-open.ts';
import { type WhatStands, whatStands } from './what-stands.ts';

export interface RestoreContext {
  /** Where the controller keeps all that is its own. */
  folder: string;
  settingsPath: string;
  clock: Clock;
  log: Logger;
  /** Who does it, as the audit names them. */
  actor: string;
  /** Also where a cell lives: its folder is kept beside. */
  force: boolean;
}

export interface Restored {
  about: BackupAbout;
  /** Fingerprint of the authority that signs: the backup's, or one to which the cell has gone over since. */
  signing: string;
  /** Where what stood there is now; null where nothing did. */
  kept: string | null;
  /** What was taken away after it was made, and stays so; null where what stood there does not tell. */
  denials: KeptDenials | null;
  /** By name, where that is so; else null. */
  stands: WhatStands | null;
  /** Rosters that waited for hosts that were away. */
  withdrawn: number;
  /** false: the settings that are there were left as they are. */
  settings: boolean;
}

/** FAILED_PRECONDITION where a cell lives and `force` is not given, ALREADY_EXISTS where its controller runs. */
export const restore = async (path: string, context: RestoreContext): Promise<Restored> => {
  const { folder, force, clock } = context;
  const contents = await readWhole(path);
  const isThere = await exists(folder);
  using _lock = isThere ? acquireSoleOwnership(join(folder, 'controller.lock'), 'a controller') : null;
  const cell = isThere ? await livingCell(folder) : null;
  const stamp = new Date(clock.nowMs()).toISOString().replace(/[-:.]/g, '');
  const kept = isThere ? `${folder}.before-${stamp}` : null;
  if (cell !== null && !force) {
    throw new FleetError(
      'FAILED_PRECONDITION',
      `${folder} holds cell ${cell}: --force puts the backup in its place and keeps it as ${kept}`,
    );
  }
  const draft = `${folder}.restoring`;
  let history: History;
  let signing: string;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o700 });
    await extractDatabase(path, join(draft, 'controller.db'));
    await requireSame(join(draft, 'controller.db'), contents.about, path);
    for (const [name, content] of contents.files) {
      if (name !== SETTINGS_FILE) await writePrivateFile(join(draft, name), content);
    }
    signing = await keepAuthorities(folder, draft, contents.about, clock.nowMs());
    history = await writeHistory(draft, contents.about, context);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  if (kept !== null) await rename(folder, kept);
  await rename(draft, folder);
  const settings = contents.files.get(SETTINGS_FILE);
  const isWritten =
    settings !== undefined && (await writeNewFile(context.settingsPath, Buffer.from(settings).toString('utf8'), 0o600));
  return { about: contents.about, signing, kept, ...history, settings: settings === undefined || isWritten };
};

const readWhole = async (path: string): Promise<BackupContents> => {
  const found = await stat(path).catch(() => null);
  if (found === null) throw new FleetError('INVALID_ARGUMENT', `there is no file ${path}; nothing was changed`);
  if (!found.isFile())
    throw new FleetError('INVALID_ARGUMENT', `${path} is no file: name a backup; nothing was changed`);
  const contents = readBackup(path);
  requireSound(path);
  requireKeys(contents, path);
  return contents;
};

/** Of what was taken out of it, so that nothing else than what was looked at is put in place. */
const requireSame = async (database: string, { digest }: BackupAbout, path: string): Promise<void> => {
  const copy = await readCopy(database).catch(() => null);
  if (copy?.digest === digest) return;
  throw new FleetError('DATA_LOSS', `${path} does not hold what it says: use another backup; nothing was changed`);
};

/** A folder without authority and database, as a controller leaves that never started, is nobody's. */
const livingCell = async (folder: string): Promise<string | null> =>
  (await authorityCell(folder).catch(() => 'that cannot be read')) ??
  ((await exists(join(folder, 'controller.db'))) ? 'without a name' : null);

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

type History = Pick<Restored, 'denials' | 'stands' | 'withdrawn'>;

/** The audit says first what is done to the rest. */
const writeHistory = async (
  draft: string,
  about: BackupAbout,
  { folder, clock, log, actor }: RestoreContext,
): Promise<History> => {
  const store = new SqliteStore(join(draft, 'controller.db'));
  store.start();
  try {
    const records = await openRecords(store);
    const audit = new AuditLog(store, clock, log, { cell: about.cell });
    await audit.start();
    const { sequence } = about.audit;
    const reason = `backup of ${new Date(about.madeMs).toISOString()}; what was recorded after record ${sequence} is not in it`;
    await audit.record({ actor, verb: RESTORE_VERB, target: 'controller', outcome: 'done', reason });
    await audit.stop();
    const withdrawn = await voidOpen(records, clock.nowMs());
    const copy = join(draft, 'last.db');
    const denials = await keepDenials(folder, copy, { about, records, nowMs: clock.nowMs() });
    for (const left of [copy, `${copy}-wal`, `${copy}-shm`]) await rm(left, { force: true });
    return { denials, withdrawn, stands: denials === null ? whatStands(records, clock.nowMs()) : null };
  } finally {
    store.stop();
  }
};
