/**
 * What runtimes, interpreters and wrappers look like in a process table: data only. A new runtime is one entry
 * here and one line in its table test.
 */

export type Engine = 'node' | 'bun' | 'deno' | 'python';

export interface RuntimeEntry {
  name: string;
  /** Base names of its own executables. */
  programs: readonly RegExp[];
  /** Parts of the path of an executable whose base name says nothing (a version). */
  programPaths?: readonly RegExp[];
  /** What it writes over its own command line, first word. */
  titles: readonly string[];
  /** Interpreters that run it; a script of its name under another one is something else. */
  engines: readonly Engine[];
  /** Base names of its scripts, extension included. */
  scripts: readonly string[];
  /** Packages whose files are it, wherever installed. */
  packages: readonly RegExp[];
}

export const RUNTIMES: readonly RuntimeEntry[] = [
  {
    name: 'pi',
    programs: [/^pi$/],
    titles: ['pi'],
    engines: ['node', 'bun', 'deno'],
    scripts: ['pi', 'pi.js'],
    packages: [/^(@[^/]+\/)?pi-coding-agent$/],
  },
  {
    name: 'codex',
    programs: [/^codex$/, /^codex-(x86_64|aarch64)-[a-z0-9-]+$/],
    titles: ['codex'],
    engines: ['node', 'bun', 'deno'],
    scripts: ['codex', 'codex.js'],
    packages: [/^@openai\/codex(-[a-z0-9-]+)?$/],
  },
  {
    name: 'claude',
    programs: [/^claude$/],
    programPaths: [/\/claude\/versions\/[^/]+$/],
    titles: ['claude'],
    engines: ['node', 'bun', 'deno'],
    scripts: ['claude', 'claude.js'],
    packages: [/^@anthropic-ai\/claude-code(-[a-z0-9-]+)?$/],
  },
  {
    name: 'opencode',
    programs: [/^\.?opencode$/, /^opencode-linux-[a-z0-9-]+$/],
    titles: ['opencode'],
    engines: ['node', 'bun', 'deno'],
    scripts: ['opencode', 'opencode.js'],
    packages: [/^opencode-(ai|linux-[a-z0-9-]+)$/],
  },
  {
    name: 'stub',
    programs: [],
    titles: [],
    engines: ['python'],
    scripts: ['dogfood-agent.py'],
    packages: [],
  },
];

export const isKnownRuntime = (name: string): boolean => RUNTIMES.some((runtime) => runtime.name === name);

export interface EngineEntry {
  name: Engine;
  programs: RegExp;
  /** Options that take the next argument. */
  valued: readonly string[];
  /** Options whose value is the program itself: there is no script. */
  inline: readonly string[];
  /** `python -m NAME`. */
  module: string | null;
  /** First words that are no script (`bun run x`, `deno run x`). */
  verbs: readonly string[];
  /** First words whose next word is a package to fetch and run (`bun x NAME`). */
  fetching: readonly string[];
}

export const ENGINES: readonly EngineEntry[] = [
  {
    name: 'node',
    programs: /^node(js)?[\d.-]*$/,
    valued: ['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions', '--title'],
    inline: ['-e', '--eval', '-p', '--print', '-pe'],
    module: null,
    verbs: [],
    fetching: [],
  },
  {
    name: 'bun',
    programs: /^bunx?$/,
    valued: ['-r', '--preload', '--cwd', '-c', '--config'],
    inline: ['-e', '--eval', '-p', '--print'],
    module: null,
    verbs: ['run'],
    fetching: ['x'],
  },
  {
    name: 'deno',
    programs: /^deno$/,
    valued: ['-c', '--config', '--import-map'],
    inline: ['eval'],
    module: null,
    verbs: ['run'],
    fetching: [],
  },
  {
    name: 'python',
    programs: /^(python|pypy)[\d.]*$/,
    valued: ['-W', '-X', '--check-hash-based-pycs'],
    inline: ['-c'],
    module: '-m',
    verbs: [],
    fetching: [],
  },
];

export const SHELLS = /^(r?ba|da|z|k|mk|a|fi|tc|c)?sh$|^(nu|xonsh|pwsh|elvish)$/;

/** One executable for many commands: the first argument is the name. */
export const MULTI_CALL = /^(busybox|toybox|coreutils)$/;

/** Run another program in front of them as it is, and are nothing themselves. */
export const CARRIERS = new RegExp(
  '^(env|nice|ionice|nohup|setsid|stdbuf|timeout|time|script|unbuffer|chrt|taskset|catatonit|tini|dumb-init|' +
    'sudo|doas|su|runuser|setpriv|systemd-run|systemd-inhibit|strace|ltrace)$',
);

/** Find, prepare and start a program of their choosing: while none shows below them, none can be named. */
export const LAUNCHERS = new RegExp(
  '^(npm|npx|pnpm|pnpx|yarn|yarnpkg|corepack|uv|uvx|pipx|direnv|mise|asdf|volta|dotenv|doppler|op|infisical|' +
    'mosaic|mosaic-[a-z0-9-]+|(start-)?agent-session(\\.sh)?)$',
);

/** Packages whose programs are launchers in the same sense. */
export const LAUNCHER_PACKAGES: readonly RegExp[] = [
  /^(npm|pnpm|yarn|corepack|dotenv-cli|cross-env)$/,
  /^mosaic(-[a-z0-9-]+)?$/,
  /^@mosaic[a-z0-9-]*\/.+$/,
];

/** What they show runs elsewhere: not below them in this machine's process table. */
export const HIDING =
  /^(ssh|mosh|mosh-client|tmux|screen|docker|podman|kubectl|nerdctl|lxc|incus|machinectl|zellij|dtach|abduco)$/;
