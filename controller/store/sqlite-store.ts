/**
 * The store in one SQLite file, mode 0600, WAL. Every call is synchronous inside: keep commits small. One process
 * owns the file (see sole-owner).
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { BugError, FleetError } from '../../src/domain/errors.ts';
import { toStoreError } from './sqlite-errors.ts';
import type { Change, Commit, Durability, Entry, Store } from './store.ts';

/** Run in order, each once; never edited, only added to. `user_version` counts those that ran. */
const MIGRATIONS = [
  `CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL) STRICT;
   INSERT INTO head VALUES (1, 0);`,
];

/** Above every key that is text: no UTF-8 sequence is greater. */
const LAST = '\u{10ffff}';

class Connection {
  readonly db: DatabaseSync;
  readonly revisionOf: StatementSync;
  readonly advance: StatementSync;
  readonly put: StatementSync;
  readonly remove: StatementSync;

  constructor(db: DatabaseSync) {
    const prepare = (sql: string): StatementSync => {
      const statement = db.prepare(sql);
      statement.setReadBigInts(true);
      return statement;
    };
    this.db = db;
    this.revisionOf = prepare('SELECT revision FROM entry WHERE key = ?');
    this.advance = prepare('UPDATE head SET revision = revision + 1 RETURNING revision');
    this.put = prepare('INSERT OR REPLACE INTO entry VALUES (?, ?, ?)');
    this.remove = prepare('DELETE FROM entry WHERE key = ?');
  }
}

const open = (path: string, synchronous: 'FULL' | 'NORMAL'): DatabaseSync => {
  const db = new DatabaseSync(path, { timeout: 2_000 });
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = 250;`);
  return db;
};

const migrate = (db: DatabaseSync, path: string): void => {
  const [found] = Object.values(db.prepare('PRAGMA user_version').get() ?? {});
  const version = Number(found);
  if (version > MIGRATIONS.length) {
    throw new FleetError('FAILED_PRECONDITION', `${path} was written by a newer fleet: upgrade this controller`);
  }
  for (let next = version; next < MIGRATIONS.length; next++) {
    db.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[next]} PRAGMA user_version = ${next + 1}; COMMIT;`);
  }
};

export class SqliteStore implements Store {
  readonly #path: string;
  readonly #watchers = new Set<{ prefix: string; listener: (changes: readonly Change[]) => void }>();
  #connections: Record<Durability, Connection> | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** DATA_LOSS when the file is damaged; it is then left exactly as it is. */
  start(): void {
    if (this.#connections !== null) throw new BugError('store started twice');
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    closeSync(openSync(this.#path, 'a', 0o600));
    chmodSync(this.#path, 0o600);
    const opened: DatabaseSync[] = [];
    try {
      const durable = open(this.#path, 'FULL');
      opened.push(durable);
      const [verdict] = Object.values(durable.prepare('PRAGMA quick_check(1)').get() ?? {});
      if (verdict !== 'ok') throw Object.assign(new Error(String(verdict)), { errcode: 11 });
      migrate(durable, this.#path);
      const relaxed = open(this.#path, 'NORMAL');
      opened.push(relaxed);
      this.#connections = { now: new Connection(durable), soon: new Connection(relaxed) };
    } catch (error) {
      for (const db of opened) db.close();
      throw toStoreError(error, this.#path);
    }
  }

  stop(): void {
    const connections = this.#connections;
    this.#connections = null;
    connections?.soon.db.close();
    connections?.now.db.close();
  }

  async get(key: string): Promise<Entry | null> {
    return this.#run('now', ({ db }) => this.#read(db, 'SELECT * FROM entry WHERE key = ?', key)[0] ?? null);
  }

  async list(prefix: string, options: { limit: number; after?: string; reverse?: boolean }): Promise<Entry[]> {
    const from = options.after !== undefined && !options.reverse ? options.after : prefix;
    const to = options.after !== undefined && options.reverse ? options.after : prefix + LAST;
    const beyond = options.after !== undefined && !options.reverse ? '>' : '>=';
    const order = options.reverse ? 'DESC' : 'ASC';
    const sql = `SELECT * FROM entry WHERE key ${beyond} ? AND key < ? ORDER BY key ${order} LIMIT ?`;
    return this.#run('now', ({ db }) => this.#read(db, sql, from, to, options.limit));
  }

  async commit(change: Commit, durability: Durability = 'now'): Promise<bigint | null> {
    const committed = this.#run(durability, (connection) => this.#write(connection, change));
    if (committed === null) return null;
    this.#tell(committed.changes);
    return committed.revision;
  }

  watch(prefix: string, listener: (changes: readonly Change[]) => void): Disposable {
    const watcher = { prefix, listener };
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  #write(connection: Connection, change: Commit): { revision: bigint; changes: Change[] } | null {
    const { db } = connection;
    db.exec('BEGIN IMMEDIATE');
    try {
      for (const { key, revision } of change.expect ?? []) {
        const found = connection.revisionOf.get(key) as { revision: bigint } | undefined;
        if ((found?.revision ?? 0n) === revision) continue;
        db.exec('ROLLBACK');
        return null;
      }
      const { revision } = connection.advance.get() as { revision: bigint };
      const changes: Change[] = [];
      for (const key of change.remove ?? []) {
        if (connection.remove.run(key).changes) changes.push({ key, entry: null });
      }
      for (const { key, value } of change.put ?? []) {
        connection.put.run(key, value, revision);
        changes.push({ key, entry: { key, value, revision } });
      }
      db.exec('COMMIT');
      return { revision, changes };
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }

  #read(db: DatabaseSync, sql: string, ...values: (string | number)[]): Entry[] {
    const statement = db.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all(...values) as unknown as Entry[];
  }

  #run<T>(durability: Durability, work: (connection: Connection) => T): T {
    const connections = this.#connections;
    if (connections === null)
      throw new FleetError('UNAVAILABLE', `${this.#path} is closed: the controller is stopping`);
    try {
      return work(connections[durability]);
    } catch (error) {
      throw toStoreError(error, this.#path);
    }
  }

  #tell(changes: readonly Change[]): void {
    for (const { prefix, listener } of this.#watchers) {
      const heard = changes.filter(({ key }) => key.startsWith(prefix));
      if (heard.length > 0) listener(heard);
    }
  }
}
