/**
 * A backup put in its place: a controller's folder as the backup has it, made beside and renamed as a whole. What stood there
 * is kept. Its audit says from its next record on that it was restored.
 */
import { access, mkdir, rename, rm } from 'node:fs/promises';
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
import { keepRevocations } from './keep-revocations.ts';
import { readCopy } from './read-copy.ts';

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
  /** Where what stood there is now; null where nothing did. */
  kept: string | null;
  /** Identities, grants and peers that were revoked after it was made; null where what stood there does not tell. */
  revoked: number | null;
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
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await extractDatabase(path, join(draft, 'controller.db'));
  for (const [name, content] of contents.files) {
    if (name !== SETTINGS_FILE) await writePrivateFile(join(draft, name), content);
  }
  const revoked = await writeHistory(draft, contents.about, context);
  if (kept !== null) await rename(folder, kept);
  await rename(draft, folder);
  const settings = contents.files.get(SETTINGS_FILE);
  const isWritten =
    settings !== undefined && (await writeNewFile(context.settingsPath, Buffer.from(settings).toString('utf8'), 0o600));
  return { about: contents.about, kept, revoked, settings: settings === undefined || isWritten };
};

const readWhole = async (path: string): Promise<BackupContents> => {
  if (!(await exists(path))) throw new FleetError('NOT_FOUND', `there is no file ${path}`);
  const contents = readBackup(path);
  requireSound(path);
  requireKeys(contents, path);
  const { entries, audit } = await readCopy(path);
  if (entries === contents.about.entries && audit.hash === contents.about.audit.hash) return contents;
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

/** Tokens that were not used when it was made may have been since: none of them is good any more. */
const writeHistory = async (draft: string, about: BackupAbout, context: RestoreContext): Promise<number | null> => {
  const store = new SqliteStore(join(draft, 'controller.db'));
  store.start();
  try {
    const records = await openRecords(store);
    const audit = new AuditLog(store, context.clock, context.log, { cell: about.cell });
    await audit.start();
    const { sequence } = about.audit;
    const reason = `backup of ${new Date(about.madeMs).toISOString()}; what was recorded after record ${sequence} is not in it`;
    await audit.record({ actor: context.actor, verb: RESTORE_VERB, target: 'controller', outcome: 'done', reason });
    const open = [...records.tokens.entries()].filter(([, { used }]) => used === null);
    await store.commit({ remove: open.map(([name]) => records.tokens.keyOf(name)) });
    const revoked = await keepRevocations(join(context.folder, 'controller.db'), store);
    await audit.stop();
    return revoked;
  } finally {
    store.stop();
  }
};
