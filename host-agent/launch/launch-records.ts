/** What the launcher left on disk of an agent, for those who ask how it ended and why it did not start. Never writes. */
import type { Paths } from '../../src/runtime/paths.ts';
import { agentLaunchPaths, runsFolder } from './launch-paths.ts';
import { readPreflight } from './preflight-file.ts';
import { type Run, readLastRun, readRunLines, readRuns } from './runs.ts';

export class LaunchRecords {
  readonly #paths: Pick<Paths, 'state'>;

  constructor(paths: Pick<Paths, 'state'>) {
    this.#paths = paths;
  }

  lastRun(agent: string): Promise<Run | null> {
    return readLastRun(runsFolder(this.#paths), agent);
  }

  /** Newest first, each with a way to its last lines. */
  async runs(agent: string): Promise<(Run & { lines(): Promise<string[] | null> })[]> {
    const runs = await readRuns(runsFolder(this.#paths), agent);
    return runs.map((run) => ({ ...run, lines: () => readRunLines(run) }));
  }

  /** What a preflight since then (wall clock) found wrong; null: nothing, or there was none. */
  async hindrance(agent: string, sinceMs: number): Promise<string | null> {
    const found = await readPreflight(agentLaunchPaths(this.#paths, agent).preflight, agent);
    if (found === null || found.atMs < sinceMs || found.problems.length === 0) return null;
    return found.problems.map(({ words }) => words).join('; ');
  }
}
