/**
 * Comes in: the roster file and the agents' env files below a Mosaic home. Goes out: the roster as it last was
 * good, and what is wrong with it now. Never writes; a broken edit never takes the agents' rows away.
 */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Roster } from '../../src/domain/roster.ts';
import { parseEnvFile } from '../../src/roster/env-file.ts';
import { parseRoster } from '../../src/roster/parse.ts';
import { findRoster } from '../../src/roster/roster-file.ts';
import { withLaunchSockets } from '../../src/roster/socket-name.ts';
import { every } from '../../src/runtime/every.ts';
import { FolderWatch } from '../../src/runtime/folder-watch.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import { Pump } from '../../src/runtime/pump.ts';
import { readFileText } from '../../src/runtime/read-file.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { RosterReading, Source } from '../inventory/source.ts';

const MAX_ENV_BYTES = 64 * 1024;
const MAX_ENV_FILES = 8_192;
/** Editors that save by renaming leave no file for a moment: only one that stays away is gone. */
const GONE_AFTER_MS = 250;

export interface RosterSourceOptions {
  mosaicHome: string;
  rescanMs?: number;
}

interface Good {
  path: string;
  text: string;
  roster: Roster;
}

export class RosterSource implements Source<RosterReading> {
  readonly #mosaicHome: string;
  readonly #agentsFolder: string;
  readonly #rescanMs: number;
  readonly #listeners = new Listeners();
  readonly #watches: FolderWatch[];
  readonly #pump = new Pump(() => this.#look());
  #signal: AbortSignal = AbortSignal.abort();
  #good: Good | null = null;
  #reading: RosterReading;

  constructor(options: RosterSourceOptions) {
    const folder = join(options.mosaicHome, 'fleet');
    this.#mosaicHome = options.mosaicHome;
    this.#agentsFolder = join(folder, 'agents');
    this.#rescanMs = options.rescanMs ?? 30_000;
    const ours = /^roster\.(yaml|json)$|\.env$/;
    this.#watches = [folder, this.#agentsFolder].map(
      (each) =>
        new FolderWatch(each, (names) => {
          if (names === null || [...names].some((name) => ours.test(name))) void this.#pump.request();
        }),
    );
    this.#reading = {
      path: join(folder, 'roster.yaml'),
      roster: null,
      problem: null,
      warnings: [],
      env: new Map(),
    };
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const watch of this.#watches) watch.start(signal);
    await this.#pump.request();
    void every(this.#rescanMs, signal, () => this.refresh());
  }

  current(): RosterReading {
    return this.#reading;
  }

  onChange(listener: () => void): Disposable {
    return this.#listeners.add(listener);
  }

  /** Looks at every file again; resolves when `current()` tells of it. */
  refresh(): Promise<void> {
    for (const watch of this.#watches) watch.rearm();
    return this.#pump.request();
  }

  async #look(): Promise<void> {
    if (this.#signal.aborted) return;
    const warnings: string[] = [];
    const env = await this.#readEnv(warnings);
    let read = await this.#readRoster(warnings);
    if (read.missing && this.#good !== null) {
      await sleep(GONE_AFTER_MS, this.#signal);
      read = await this.#readRoster(warnings);
    }
    if (read.missing) this.#good = null;
    const roster = this.#good === null ? null : withLaunchSockets(this.#good.roster, env);
    const reading = { path: read.path, roster, problem: read.problem, warnings, env };
    if (this.#signal.aborted || isDeepStrictEqual(reading, this.#reading)) return;
    this.#reading = reading;
    this.#listeners.emit();
  }

  /** `roster.yaml`, else `roster.json`; a good one is kept in `#good`. */
  async #readRoster(warnings: string[]): Promise<{ path: string; problem: string | null; missing: boolean }> {
    const { path, file, passedOver } = await findRoster(this.#mosaicHome);
    if (file.kind === 'missing') return { path, problem: null, missing: true };
    if (passedOver !== null) warnings.push(`${passedOver} is not read: ${basename(path)} stands beside it`);
    if (file.kind === 'unreadable') return { path, problem: `${path}: ${file.words}`, missing: false };
    if (this.#good?.path === path && this.#good.text === file.text) return { path, problem: null, missing: false };
    const { roster, problem } = parseRoster(file.text, path);
    if (roster !== null) this.#good = { path, text: file.text, roster };
    return { path, problem, missing: false };
  }

  async #readEnv(warnings: string[]): Promise<Map<string, Map<string, string>>> {
    const env = new Map<string, Map<string, string>>();
    let names: string[] = [];
    try {
      names = (await readdir(this.#agentsFolder)).filter((name) => /^[^.].*\.env$/.test(name)).sort();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'ENOENT') warnings.push(`${this.#agentsFolder}: cannot be listed (${code ?? 'unknown error'})`);
    }
    for (const name of names.slice(0, MAX_ENV_FILES)) {
      const path = join(this.#agentsFolder, name);
      const file = await readFileText(path, { maxBytes: MAX_ENV_BYTES, followLinks: true });
      if (file.kind === 'text') {
        const { values, problem } = parseEnvFile(file.text, path);
        env.set(name.slice(0, -'.env'.length), values);
        if (problem !== null) warnings.push(problem);
      } else if (file.kind === 'unreadable') warnings.push(`${path}: ${file.words}`);
    }
    return env;
  }
}
