/**
 * One folder of heartbeat files, read again only where a file changed. Comes in: which names were touched.
 * Goes out: what each file says. Never follows a link, never waits for a FIFO, never reads a large file.
 */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { HeartbeatSeen } from '../../src/domain/heartbeat.ts';
import type { TouchedNames } from '../../src/runtime/folder-watch.ts';
import { readFileText } from '../../src/runtime/read-file.ts';
import { type HeartbeatText, parseHeartbeat } from './parse.ts';

const MAX_FILE_BYTES = 64 * 1024;
/** Agents of one folder; the ones beyond are left out, and `problem` says so. */
const MAX_FILES = 8_192;
const HEARTBEAT_FILE = /^([^.].*?)\.hb(\.native)?$/;

interface KnownFile {
  /** Identity and time of the inode: equal means unchanged. */
  stamp: string;
  mtimeMs: number;
  content: HeartbeatText;
}

const isHeartbeatFile = (name: string): boolean => HEARTBEAT_FILE.test(name);

export class HeartbeatFolder {
  readonly path: string;
  readonly #files = new Map<string, KnownFile>();
  #problem: string | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** Why the folder cannot be read; null also when there is none. */
  get problem(): string | null {
    return this.#problem;
  }

  /** `names` null: all of them. Never rejects. */
  async look(names: TouchedNames): Promise<void> {
    const wanted = names === null ? await this.#list() : [...names].filter(isHeartbeatFile);
    if (names === null) {
      const present = new Set(wanted);
      for (const name of this.#files.keys()) if (!present.has(name)) this.#files.delete(name);
    }
    for (const name of wanted) await this.#read(name);
  }

  reading(agent: string): HeartbeatSeen | null {
    const sidecar = this.#reading(agent, 'sidecar');
    const native = this.#reading(agent, 'native');
    if (sidecar === null || native === null) return sidecar ?? native;
    // A marker says who wrote the `.hb` beside it; what it leaves open stands there.
    const { pid, status, model } = native.pid === null && native.status === null ? sidecar : native;
    return { ...sidecar, native: native.invalid === null ? { ...native, pid, status, model } : native };
  }

  agents(): Set<string> {
    return new Set([...this.#files.keys()].map((name) => HEARTBEAT_FILE.exec(name)![1]!));
  }

  #reading(agent: string, source: 'native' | 'sidecar'): HeartbeatSeen | null {
    const name = source === 'native' ? `${agent}.hb.native` : `${agent}.hb`;
    const content = this.#files.get(name)?.content;
    if (content === undefined) return null;
    if (content.invalid === null) return { ...content, source };
    return { invalid: `${name} ${content.invalid}`, tsMs: null, pid: null, status: null, model: null, source };
  }

  async #list(): Promise<string[]> {
    try {
      const names = (await readdir(this.path)).filter(isHeartbeatFile).sort();
      this.#problem = names.length > MAX_FILES ? `${this.path}: more than ${MAX_FILES} heartbeat files` : null;
      return names.slice(0, MAX_FILES);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      this.#problem = code === 'ENOENT' ? null : `${this.path}: cannot be listed (${code ?? 'unknown error'})`;
      return [];
    }
  }

  async #read(name: string): Promise<void> {
    const path = join(this.path, name);
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await lstat(path, { bigint: true });
      const stamp = `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
      if (this.#files.get(name)?.stamp === stamp) return;
      if (!this.#files.has(name) && this.#files.size >= MAX_FILES) return;
      const file = await readFileText(path, { maxBytes: MAX_FILE_BYTES, followLinks: false });
      if (file.kind === 'missing') this.#files.delete(name);
      else if (file.kind === 'unreadable')
        this.#files.set(name, { stamp, mtimeMs: 0, content: { invalid: file.words } });
      else {
        const markerMs = name.endsWith('.native') ? Math.round(file.mtimeMs) : null;
        this.#files.set(name, { stamp, mtimeMs: file.mtimeMs, content: parseHeartbeat(file.text, markerMs) });
      }
    } catch {
      this.#files.delete(name);
    }
  }
}
