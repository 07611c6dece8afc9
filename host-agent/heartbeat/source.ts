/**
 * Comes in: heartbeat files of the shared folder and of folders that agents' environments name. Goes out: the
 * newest reading of each agent. Never judges its age (src/domain/heartbeat.ts), never writes.
 */
import { isDeepStrictEqual } from 'node:util';
import type { HeartbeatSeen } from '../../src/domain/heartbeat.ts';
import { every } from '../../src/runtime/every.ts';
import { FolderWatch, type TouchedNames } from '../../src/runtime/folder-watch.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import { Pump } from '../../src/runtime/pump.ts';
import type { HeartbeatsReading, Source } from '../inventory/source.ts';
import { HeartbeatFolder } from './folder.ts';
import type { HeartbeatFolders } from './folders.ts';

interface Watched {
  folder: HeartbeatFolder;
  watch: FolderWatch;
  /** Names to look at; null: all. */
  touched: Set<string> | null;
}

export interface HeartbeatSourceOptions {
  /** Asked at each look; call `refresh` when its answer has changed. */
  folders: () => HeartbeatFolders;
  rescanMs?: number;
}

export class HeartbeatSource implements Source<HeartbeatsReading> {
  readonly #folders: () => HeartbeatFolders;
  readonly #rescanMs: number;
  readonly #listeners = new Listeners();
  readonly #watched = new Map<string, Watched>();
  readonly #pump = new Pump(() => this.#look());
  #signal: AbortSignal = AbortSignal.abort();
  #reading: HeartbeatsReading = { problem: null, byAgent: new Map() };

  constructor(options: HeartbeatSourceOptions) {
    this.#folders = options.folders;
    this.#rescanMs = options.rescanMs ?? 30_000;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    await this.#pump.request();
    void every(this.#rescanMs, signal, () => this.refresh());
  }

  current(): HeartbeatsReading {
    return this.#reading;
  }

  onChange(listener: () => void): Disposable {
    return this.#listeners.add(listener);
  }

  /** Looks at everything again, at the folders that hold good now. */
  async refresh(): Promise<void> {
    for (const watched of this.#watched.values()) {
      watched.touched = null;
      watched.watch.rearm();
    }
    await this.#pump.request();
  }

  async #look(): Promise<void> {
    if (this.#signal.aborted) return;
    const folders = this.#folders();
    this.#follow(new Set([folders.shared, ...folders.byAgent.values()]));
    for (const watched of this.#watched.values()) {
      const { touched } = watched;
      watched.touched = new Set();
      if (touched?.size !== 0) await watched.folder.look(touched);
    }
    const reading = this.#read(folders);
    if (this.#signal.aborted || isDeepStrictEqual(reading, this.#reading)) return;
    this.#reading = reading;
    this.#listeners.emit();
  }

  #follow(paths: Set<string>): void {
    for (const [path, { watch }] of this.#watched) {
      if (paths.has(path)) continue;
      watch.stop();
      this.#watched.delete(path);
    }
    for (const path of paths) {
      if (this.#watched.has(path)) continue;
      const watch = new FolderWatch(path, (names) => this.#hear(path, names));
      this.#watched.set(path, { folder: new HeartbeatFolder(path), watch, touched: null });
      watch.start(this.#signal);
    }
  }

  #hear(path: string, names: TouchedNames): void {
    const watched = this.#watched.get(path);
    if (!watched) return;
    watched.touched = names === null || watched.touched === null ? null : watched.touched.union(names);
    void this.#pump.request();
  }

  #read(folders: HeartbeatFolders): HeartbeatsReading {
    const byAgent = new Map<string, HeartbeatSeen>();
    const shared = this.#watched.get(folders.shared)!.folder;
    for (const agent of [...shared.agents()].sort()) {
      const reading = folders.byAgent.has(agent) ? null : shared.reading(agent);
      if (reading) byAgent.set(agent, reading);
    }
    const problems = new Set([shared.problem]);
    for (const [agent, path] of folders.byAgent) {
      const { folder } = this.#watched.get(path)!;
      const reading = folder.reading(agent);
      if (reading) byAgent.set(agent, reading);
      problems.add(folder.problem);
    }
    problems.delete(null);
    return { problem: problems.size === 0 ? null : [...problems].join('; '), byAgent };
  }
}
