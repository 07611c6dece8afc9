/** fleet-launch: what a unit calls before it starts an agent, and who wants to know whether one could start. */
import { homedir } from 'node:os';
import { resolvePaths } from '../../src/runtime/paths.ts';
import type { LaunchGround } from './launch-paths.ts';
import { lookAtTmux, preflight } from './preflight.ts';
import type { Preflight } from './preflight-file.ts';
import { preflightJson } from './preflight-file.ts';
import { type PrepareOptions, prepare, prepareHolder } from './prepare.ts';
import { readLaunch } from './read-launch.ts';
import { unitEnvironment } from './unit-environment.ts';

const USAGE = 'usage: fleet-launch prepare NAME | prepare-holder | preflight NAME [-o json]';

const say = (words: string): void => void process.stderr.write(`fleet-launch: ${words}\n`);

/** What a start would find, and nothing changed. */
const look = async (name: string, ground: LaunchGround): Promise<Preflight> => {
  const own = await unitEnvironment(process.env);
  const read = await readLaunch(name, ground, own);
  const none = { agent: name, atMs: Date.now(), warnings: [] };
  if (read.kind !== 'read') return { ...none, problems: [{ code: 'roster', words: read.words }] };
  const { problem } = await lookAtTmux(read.agent.path, ground.home);
  const found = await preflight(read.agent, { ground, starting: false, tmuxProblem: problem });
  return {
    ...none,
    problems: [...read.problems, ...found.problems],
    warnings: [...read.warnings, ...found.warnings],
  };
};

const tell = ({ agent, problems, warnings }: Preflight): number => {
  for (const { words } of warnings) say(`${agent}: note: ${words}`);
  // One line, whole: it is what the journal shows.
  if (problems.length > 0) say(`${agent} cannot start: ${problems.map(({ words }) => words).join('; ')}`);
  return problems.length === 0 ? 0 : 1;
};

const run = async ([verb, name, ...rest]: readonly string[]): Promise<number> => {
  const ground: LaunchGround = { ...resolvePaths(), home: homedir() };
  const options: PrepareOptions = { ground, own: process.env, nowMs: Date.now };
  if (verb === 'prepare' && name !== undefined && rest.length === 0) return tell(await prepare(name, options));
  if (verb === 'prepare-holder' && name === undefined) {
    const problem = await prepareHolder(options);
    if (problem !== null) say(`the holder cannot start: ${problem}`);
    return problem === null ? 0 : 1;
  }
  const isJson = rest.join(' ') === '-o json';
  if (verb === 'preflight' && name !== undefined && (rest.length === 0 || isJson)) {
    const found = await look(name, ground);
    if (isJson) process.stdout.write(`${preflightJson(found)}\n`);
    return isJson ? Number(found.problems.length > 0) : tell(found);
  }
  say(USAGE);
  return 2;
};

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  say((error as Error).message);
  process.exitCode = 1;
}
