/**
 * The ended runs of an agent, as its flight recorder left them on this host. Comes in: the folder of one agent's runs.
 * Goes out: what is a record there, newest first; what is not is passed over. Never writes.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileText } from '../../src/runtime/read-file.ts';

/** ended: by itself; stopped: its unit was; killed: its tmux server was gone before the end could be seen. */
const RUN_CAUSES = ['ended', 'stopped', 'killed'] as const;
export type RunCause = (typeof RUN_CAUSES)[number];

export interface Run {
  agent: string;
  startedMs: number;
  endedMs: number;
  /** null: nobody saw how it exited. */
  status: number | null;
  /** `SIGKILL`; null where no signal ended it. */
  signal: string | null;
  cause: RunCause;
  /** File with the last lines of its screen; null where its server was gone before they could be read. */
  linesFile: string | null;
}

const MAX_RECORD_BYTES = 4_096;
/** 200 lines of a very wide screen. */
const MAX_LINES_BYTES = 1024 * 1024;
const RECORD = /^(\d{1,16})\.json$/;

/** `runs` is what `runsFolder` says; newest first, none where there is no folder. Never rejects. */
export const readRuns = async (runs: string, agent: string): Promise<Run[]> => {
  const folder = join(runs, agent);
  const found = await Promise.all((await recordNames(folder)).map((name) => readRun(folder, name, agent)));
  return found.filter((run) => run !== null);
};

export const readLastRun = async (runs: string, agent: string): Promise<Run | null> => {
  const folder = join(runs, agent);
  for (const name of await recordNames(folder)) {
    const run = await readRun(folder, name, agent);
    if (run !== null) return run;
  }
  return null;
};

/** What the screen showed last, without escapes, oldest first; null where nothing was kept. Hostile text. */
export const readRunLines = async ({ linesFile }: Run): Promise<string[] | null> => {
  if (linesFile === null) return null;
  const file = await readFileText(linesFile, { maxBytes: MAX_LINES_BYTES, followLinks: false });
  if (file.kind !== 'text') return null;
  return file.text === '' ? [] : file.text.replace(/\n$/, '').split('\n');
};

/** Newest first: a record is named by the moment at which its run began. */
const recordNames = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch(() => []);
  const startOf = (name: string): number => Number(RECORD.exec(name)?.[1] ?? Number.NaN);
  return names.filter((name) => RECORD.test(name)).sort((a, b) => startOf(b) - startOf(a));
};

const readRun = async (folder: string, name: string, agent: string): Promise<Run | null> => {
  const path = join(folder, name);
  const file = await readFileText(path, { maxBytes: MAX_RECORD_BYTES, followLinks: false });
  return file.kind === 'text' ? parseRun(file.text, agent, folder) : null;
};

/** null: no record of ours. */
const parseRun = (text: string, agent: string, folder: string): Run | null => {
  const said = objectOf(text);
  const startedMs = wholeOf(said?.started_ms);
  const endedMs = wholeOf(said?.ended_ms);
  const cause = RUN_CAUSES.find((each) => each === said?.cause);
  if (startedMs === null || endedMs === null || cause === undefined) return null;
  return {
    agent,
    startedMs,
    endedMs,
    status: wholeOf(said?.status),
    signal: typeof said?.signal === 'string' && /^SIG[A-Z0-9+-]{1,12}$/.test(said.signal) ? said.signal : null,
    cause,
    linesFile: said?.lines === true ? join(folder, `${startedMs}.txt`) : null,
  };
};

const objectOf = (text: string): Record<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
};

const wholeOf = (value: unknown): number | null =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
