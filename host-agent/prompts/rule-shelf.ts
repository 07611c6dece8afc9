/**
 * The rules of each runtime: what comes with fleet, with a user's own `<config>/runtime-rules/<runtime>.json` over it. A
 * file that cannot be used is named, and the shipped rules stand.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RuleSet } from '../../src/domain/prompt-rules.ts';
import { isKnownRuntime } from '../../src/domain/runtime-table.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { parseRules, withOwnRules } from './rule-schema.ts';
import { shippedRules } from './shipped-rules.ts';

/** A file that was changed counts after this time at the latest. */
const LOOK_AGAIN_MS = 2_000;
const MAX_BYTES = 256 * 1_024;

interface Held {
  stamp: string;
  lookedMono: number;
  rules: RuleSet | null;
  problem: string | null;
}

export class RuleShelf {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #shipped = shippedRules();
  readonly #held = new Map<string, Held>();

  constructor(config: string, clock: Clock) {
    this.#folder = join(config, 'runtime-rules');
    this.#clock = clock;
  }

  /** Null: there are none for it. */
  rulesFor(runtime: string | null): RuleSet | null {
    if (runtime === null || !isKnownRuntime(runtime)) return null;
    const now = this.#clock.monotonicMs();
    const held = this.#held.get(runtime);
    if (held && now - held.lookedMono < LOOK_AGAIN_MS) return held.rules;
    const path = join(this.#folder, `${runtime}.json`);
    const stamp = stampOf(path);
    const fresh = held?.stamp === stamp ? { ...held, lookedMono: now } : this.#load(runtime, path, stamp, now);
    this.#held.set(runtime, fresh);
    return fresh.rules;
  }

  /** What is wrong with a user's files, in words with file and place. */
  problems(): string[] {
    for (const runtime of this.#held.keys()) this.rulesFor(runtime);
    return [...this.#held.values()].flatMap(({ problem }) => problem ?? []);
  }

  #load(runtime: string, path: string, stamp: string, now: number): Held {
    const shipped = this.#shipped.get(runtime) ?? null;
    const held = { stamp, lookedMono: now, rules: shipped, problem: null };
    if (stamp === '') return held;
    try {
      const own = parseRules(JSON.parse(readSmall(path)));
      if (own.runtime !== runtime) throw new Error(`is for ${own.runtime}: name the file ${own.runtime}.json`);
      return { ...held, rules: withOwnRules(shipped, own, path) };
    } catch (error) {
      return { ...held, problem: `${path}: ${(error as Error).message.replace(/\s+/g, ' ')}; shipped rules used` };
    }
  }
}

/** Never waits: what stands there may be a pipe. */
const readSmall = (path: string): string => {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error('is no regular file');
    if (stat.size > MAX_BYTES) throw new Error('is larger than 256 KiB');
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
};

/** Empty: no such file. */
const stampOf = (path: string): string => {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return '';
  }
};
