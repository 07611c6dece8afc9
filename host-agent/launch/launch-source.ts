/**
 * Comes in: what recorders and launches leave on disk. Goes out: of each agent, how it last ended and why its newest start
 * was refused. Looks at what was touched, and slowly at all of it. Never writes.
 */
import { readdir } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { every } from '../../src/runtime/every.ts';
import { FolderWatch, type TouchedNames } from '../../src/runtime/folder-watch.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import { Pump } from '../../src/runtime/pump.ts';
import type { LaunchesReading, LaunchReading, Source } from '../inventory/source.ts';
import { agentLaunchPaths, HOLDER, type LaunchGround, launchFolder, runsFolder } from './launch-paths.ts';
import { readPreflight } from './preflight-file.ts';
import { readLastRun } from './runs.ts';

export interface LaunchSourceOptions {
  ground: Pick<LaunchGround, 'state'>;
  rescanMs?: number;
}

export class LaunchSource implements Source<LaunchesReading> {
  readonly #ground: Pick<LaunchGround, 'state'>;
  readonly #rescanMs: number;
  readonly #listeners = new Listeners();
  readonly #watches: FolderWatch[];
  readonly #pump = new Pump(() => this.#look());
  #signal: AbortSignal = AbortSignal.abort();
  /** null: all of them. */
  #touched: Set<string> | null = null;
  #reading: LaunchesReading = { byAgent: new Map() };

  constructor({ ground, rescanMs = 30_000 }: LaunchSourceOptions) {
    this.#ground = ground;
    this.#rescanMs = rescanMs;
    const hear = (names: TouchedNames): void => {
      this.#touched = names === null || this.#touched === null ? null : this.#touched.union(names);
      void this.#pump.request();
    };
    this.#watches = [launchFolder(ground), runsFolder(ground)].map((folder) => new FolderWatch(folder, hear));
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const watch of this.#watches) watch.start(signal);
    await this.#pump.request();
    void every(this.#rescanMs, signal, () => this.#lookAtAll());
  }

  current(): LaunchesReading {
    return this.#reading;
  }

  onChange(listener: () => void): Disposable {
    return this.#listeners.add(listener);
  }

  async #lookAtAll(): Promise<void> {
    for (const watch of this.#watches) watch.rearm();
    this.#touched = null;
    await this.#pump.request();
  }

  async #look(): Promise<void> {
    const touched = this.#touched;
    this.#touched = new Set();
    const names = touched ?? new Set([...(await this.#agents()), ...this.#reading.byAgent.keys()]);
    const byAgent = new Map(this.#reading.byAgent);
    for (const name of names) {
      const reading = await this.#read(name);
      if (reading === null) byAgent.delete(name);
      else byAgent.set(name, reading);
    }
    if (this.#signal.aborted || isDeepStrictEqual(byAgent, this.#reading.byAgent)) return;
    this.#reading = { byAgent };
    this.#listeners.emit();
  }

  async #agents(): Promise<string[]> {
    const folders = [launchFolder(this.#ground), runsFolder(this.#ground)];
    const names = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])));
    return names.flat().filter((name) => name !== HOLDER);
  }

  async #read(name: string): Promise<LaunchReading | null> {
    const [run, found] = await Promise.all([
      readLastRun(runsFolder(this.#ground), name),
      readPreflight(agentLaunchPaths(this.#ground, name).preflight, name),
    ]);
    const words = found?.problems.map((problem) => problem.words).join('; ') ?? '';
    if (run === null && words === '') return null;
    return {
      lastRun: run && { endedMs: run.endedMs, status: run.status, signal: run.signal, cause: run.cause },
      refused: words === '' ? null : { words, atMs: found!.atMs },
    };
  }
}
