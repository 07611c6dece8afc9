/** The last preflight of an agent as it stands on disk, so that whoever shows the agent can say why it did not start. */
import { readFileText } from '../../src/runtime/read-file.ts';
import { writePrivate } from './private-files.ts';

export type FindingCode =
  | 'roster'
  | 'env-file'
  | 'secrets'
  | 'socket'
  | 'tmux'
  | 'running'
  | 'program'
  | 'workdir'
  | 'linger'
  | 'trust'
  | 'detached';

export interface Finding {
  code: FindingCode;
  words: string;
}

export interface Preflight {
  agent: string;
  atMs: number;
  /** What keeps it from starting, the first thing to mend first. */
  problems: Finding[];
  warnings: Finding[];
}

const MAX_BYTES = 64 * 1024;

export const writePreflight = (path: string, found: Preflight): void => writePrivate(path, `${preflightJson(found)}\n`);

export const preflightJson = ({ agent, atMs, problems, warnings }: Preflight): string =>
  JSON.stringify({
    schema: 'fleet.preflight/v1',
    agent,
    at: new Date(atMs).toISOString(),
    ok: problems.length === 0,
    problems,
    warnings,
  });

/** null: there was none, or it is none of ours. */
export const readPreflight = async (path: string, agent: string): Promise<Preflight | null> => {
  const file = await readFileText(path, { maxBytes: MAX_BYTES, followLinks: false });
  if (file.kind !== 'text') return null;
  try {
    const said = JSON.parse(file.text) as Record<string, unknown>;
    const atMs = Date.parse(String(said.at));
    if (said.schema !== 'fleet.preflight/v1' || Number.isNaN(atMs)) return null;
    return { agent, atMs, problems: findingsOf(said.problems), warnings: findingsOf(said.warnings) };
  } catch {
    return null;
  }
};

const findingsOf = (value: unknown): Finding[] =>
  Array.isArray(value)
    ? value.filter((each): each is Finding => typeof each?.code === 'string' && typeof each?.words === 'string')
    : [];
