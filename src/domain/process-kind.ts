/**
 * What one process is by its executable and arguments: a known runtime, an interpreter, a shell, a wrapper, or
 * some other program. Looks at nothing but the process itself.
 */
import type { SeenProcess } from './process-tree.ts';
import {
  CARRIERS,
  ENGINES,
  type Engine,
  type EngineEntry,
  HIDING,
  LAUNCHER_PACKAGES,
  LAUNCHERS,
  MULTI_CALL,
  RUNTIMES,
  SHELLS,
} from './runtime-table.ts';

export type ProcessKind =
  | { kind: 'runtime'; name: string }
  /** Runs a program that the table does not know. */
  | { kind: 'engine'; name: Engine }
  /** `script`: it runs a script or `-c`, so what it starts is part of that. */
  | { kind: 'shell'; name: string; script: boolean; hidesRuntime: string | null }
  | { kind: 'carrier'; name: string }
  | { kind: 'launcher'; name: string }
  | { kind: 'hiding'; name: string }
  | { kind: 'program'; name: string };

export const processKind = (process: SeenProcess): ProcessKind => {
  const program = programOf(process);
  const runtime = runtimeOfProgram(program, process.exe);
  if (runtime !== null) return { kind: 'runtime', name: runtime };
  const engine = ENGINES.find(({ programs }) => programs.test(program));
  if (engine) return engineKind(engine, process);
  if (SHELLS.test(program)) return shellKind(program, process.argv);
  if (CARRIERS.test(program)) return { kind: 'carrier', name: program };
  if (LAUNCHERS.test(program)) return { kind: 'launcher', name: program };
  if (HIDING.test(program)) return { kind: 'hiding', name: program };
  return { kind: 'program', name: program };
};

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The executable's name; of what may not be read (another user's, a kernel thread's) its own word for itself. */
const programOf = ({ exe, argv, comm }: SeenProcess): string => {
  const program = exe === null ? '' : baseName(undeleted(exe));
  if (program !== '' && !MULTI_CALL.test(program)) return program;
  return wordOf(argv) || comm;
};

/** An update in place leaves the running executable without a name. */
const undeleted = (exe: string): string => exe.replace(/ \(deleted\)$/, '');

/** What a process calls itself: base name and first word of its first argument. */
const wordOf = (argv: readonly string[]): string => baseName((argv[0] ?? '').replace(/^-/, '').split(' ')[0]!);

const runtimeOfProgram = (program: string, exe: string | null): string | null => {
  const path = undeleted(exe ?? '');
  for (const { name, programs, programPaths = [] } of RUNTIMES) {
    if (programs.some((pattern) => pattern.test(program))) return name;
    if (programPaths.some((pattern) => pattern.test(path))) return name;
  }
  return null;
};

const engineKind = (engine: EngineEntry, { argv }: SeenProcess): ProcessKind => {
  const word = wordOf(argv);
  // A process that overwrote its command line shows a title in place of its own name and script.
  if (word !== '' && !engine.programs.test(word)) return titledKind(engine, word);
  const script = scriptOf(engine, argv);
  if (script === null) return { kind: 'engine', name: engine.name };
  const base = baseName(script);
  const owner = packageOf(script);
  for (const { name, engines, scripts, packages } of RUNTIMES) {
    if (!engines.includes(engine.name)) continue;
    if (scripts.includes(base) || packages.some((pattern) => pattern.test(owner))) return { kind: 'runtime', name };
  }
  const launcher = base.replace(/(-cli)?\.[cm]?js$/, '');
  return LAUNCHERS.test(launcher) || LAUNCHER_PACKAGES.some((pattern) => pattern.test(owner))
    ? { kind: 'launcher', name: launcher }
    : { kind: 'engine', name: engine.name };
};

const titledKind = (engine: EngineEntry, title: string): ProcessKind => {
  const titled = RUNTIMES.find(({ engines, titles }) => engines.includes(engine.name) && titles.includes(title));
  if (titled) return { kind: 'runtime', name: titled.name };
  return LAUNCHERS.test(title) ? { kind: 'launcher', name: title } : { kind: 'engine', name: engine.name };
};

/** The script or module that an interpreter was told to run; null: none, or program text on the command line. */
const scriptOf = (engine: EngineEntry, argv: readonly string[]): string | null => {
  let fetched = wordOf(argv) === 'bunx';
  for (let at = 1; at < argv.length; at += 1) {
    const word = argv[at]!;
    if (engine.inline.includes(word)) return null;
    if (word === engine.module) return argv[at + 1] ?? null;
    if (engine.valued.includes(word)) at += 1;
    else if (engine.fetching.includes(word)) fetched = true;
    else if (word.startsWith('-') || engine.verbs.includes(word)) continue;
    else if (fetched || word.startsWith('npm:')) return `node_modules/${packageName(word)}/`;
    else return word;
  }
  return null;
};

/** `npm:@scope/name@1.2` without scheme and version. */
const packageName = (spec: string): string => spec.replace(/^npm:/, '').replace(/(.)@[^/]*$/, '$1');

/** The innermost package that a file belongs to, or an empty string. */
const packageOf = (path: string): string =>
  [...path.matchAll(/(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/@][^/]*)(?=\/)/g)].at(-1)?.[1] ?? '';

/** What a pane of ours runs first (host-agent/launch). */
const LAUNCH_FILE = /\/fleet\/(?:instances\/[^/]+\/)?launch\/[^/]+\/launch\.sh$/;

const shellKind = (name: string, argv: readonly string[]): ProcessKind => {
  const words = argv.slice(1);
  const inline = words.some((word) => /^-[a-z]*c$/.test(word));
  const path = inline ? '' : (words.find((word) => !/^[-+]/.test(word)) ?? '');
  const script = baseName(path);
  // Until it becomes what it launches.
  if (LAUNCH_FILE.test(path)) return { kind: 'launcher', name: script };
  if (LAUNCHERS.test(script)) return { kind: 'launcher', name: script };
  const stem = script.replace(/\.(sh|bash)$/, '');
  const named = RUNTIMES.find(({ scripts, titles }) => scripts.includes(script) || titles.includes(stem));
  return { kind: 'shell', name, script: inline || script !== '', hidesRuntime: named?.name ?? null };
};
