/**
 * Before each start of an agent's unit. Comes in: its name. Goes out: the files of this start, written anew from the roster
 * and the env file as they are now, or why it must not start. What an earlier run left is ended and recorded first.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_NAME } from '../../src/domain/roster.ts';
import { parseRoster } from '../../src/roster/parse.ts';
import { findRoster } from '../../src/roster/roster-file.ts';
import { exec } from '../../src/runtime/exec.ts';
import { launchDigestNow } from './launch-digest.ts';
import {
  type AgentLaunchPaths,
  agentLaunchPaths,
  HOLDER,
  type LaunchGround,
  launchFolder,
  runsFolder,
} from './launch-paths.ts';
import { holderConfText, holderSettingsText, launchText, serverConfText, settingsText } from './launch-text.ts';
import { lookAtTmux, preflight } from './preflight.ts';
import { type Finding, type Preflight, writePreflight } from './preflight-file.ts';
import { privateFolder, writePrivate } from './private-files.ts';
import { readLaunch } from './read-launch.ts';
import type { ResolvedAgent } from './resolve-agent.ts';
import { launchScripts } from './scripts.ts';

/** Longer than the ten seconds that a process gets to end. */
const TIDY_MS = 20_000;

export interface PrepareOptions {
  ground: LaunchGround;
  own: NodeJS.ProcessEnv;
  nowMs(): number;
}

/** The preflight of this start; nothing may start where it has problems. */
export const prepare = async (name: string, { ground, own, nowMs }: PrepareOptions): Promise<Preflight> => {
  if (!AGENT_NAME.test(name)) return refused(name, nowMs(), 'roster', 'this is no name of an agent');
  const files = agentLaunchPaths(ground, name);
  for (const folder of [ground.state, launchFolder(ground), files.folder, runsFolder(ground), files.runs])
    privateFolder(folder);
  const found = await prepareIn(files, name, { ground, own, nowMs });
  writePreflight(files.preflight, found);
  // Who watches the folder above hears of it.
  utimesSync(files.folder, new Date(), new Date());
  return found;
};

const prepareIn = async (files: AgentLaunchPaths, name: string, options: PrepareOptions): Promise<Preflight> => {
  const { ground, own, nowMs } = options;
  const read = await readLaunch(name, ground, own);
  if (read.kind === 'not-in-roster') return refused(name, nowMs(), 'roster', read.words);
  if (read.kind === 'roster-broken') {
    // A slip in the roster must not keep agents down after a power cut: what stood there last holds.
    if (![files.launch, files.conf, files.settings].every(existsSync))
      return refused(name, nowMs(), 'roster', read.words);
    await tidy(files);
    return { agent: name, atMs: nowMs(), problems: [], warnings: [finding(`${read.words}; it starts as it did last`)] };
  }
  const { agent, entry } = read;
  const digest = await launchDigestNow(entry, ground);
  const { tmux, problem } = await lookAtTmux(agent.path, ground.home);
  const looked = await preflight(agent, { ground, starting: true, tmuxProblem: problem });
  const problems = [...read.problems, ...looked.problems];
  // Nothing of a server that lives is touched.
  if (!problems.some(({ code }) => code === 'running' || code === 'tmux')) await tidy(files);
  if (problems.length === 0) write(files, agent, { tmux: tmux!, digest });
  return { agent: name, atMs: nowMs(), problems, warnings: [...read.warnings, ...looked.warnings] };
};

const finding = (words: string): Finding => ({ code: 'roster', words });

const refused = (agent: string, atMs: number, code: Finding['code'], words: string): Preflight => ({
  agent,
  atMs,
  problems: [{ code, words }],
  warnings: [],
});

/** The end of a run that nobody saw: the machine went down, or the unit was killed at once. */
const tidy = async ({ folder, finish }: AgentLaunchPaths): Promise<void> => {
  if (existsSync(join(folder, 'run')) && existsSync(finish))
    await exec('/bin/sh', [finish, 'lost'], { timeoutMs: TIDY_MS });
};

const write = (
  files: AgentLaunchPaths,
  agent: ResolvedAgent,
  { tmux, digest }: { tmux: string; digest: string },
): void => {
  if (agent.isDefaultWorkdir) mkdirSync(agent.workdir, { recursive: true });
  // Also what a script or a launcher that was killed had half written: secrets, and lines of a screen.
  for (const name of readdirSync(files.folder))
    if (/^(run|ended|\..*|.*\.partial)$/.test(name)) rmSync(join(files.folder, name), { force: true });
  writeScripts(files.folder);
  writePrivate(files.settings, settingsText(agent, files, tmux));
  writePrivate(files.conf, serverConfText(agent, files));
  writePrivate(files.launch, launchText(agent, files));
  writePrivate(files.digest, `${digest}\n`);
};

const writeScripts = (folder: string): void => {
  for (const [name, text] of launchScripts()) writePrivate(join(folder, name), text);
};

/** The same for the server that agents of a shared layout live on. Resolves to why it must not start, else null. */
export const prepareHolder = async ({ ground, own }: PrepareOptions): Promise<string | null> => {
  const { path, file } = await findRoster(ground.mosaicHome);
  const { roster, problem } = file.kind === 'text' ? parseRoster(file.text, path) : { roster: null, problem: null };
  if (roster === null) return problem ?? `there is no roster at ${path}`;
  const { tmux, problem: tmuxProblem } = await lookAtTmux(own.PATH ?? '', ground.home);
  if (tmux === null || tmuxProblem !== null) return tmuxProblem;
  const files = agentLaunchPaths(ground, HOLDER);
  for (const folder of [ground.state, launchFolder(ground), files.folder]) privateFolder(folder);
  writeScripts(files.folder);
  writePrivate(files.settings, holderSettingsText(roster, files, tmux));
  writePrivate(files.conf, holderConfText(roster.holderSession));
  return null;
};
