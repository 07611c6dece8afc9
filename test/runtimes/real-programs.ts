/**
 * The real programs from npm, without an account and without a way out: each runs in namespaces of its own, in which only
 * loopback exists and a stand-in model listens. Comes in: a program and an empty home. Goes out: the command for a pane.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { arch, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { exec } from '../../src/runtime/exec.ts';

export type Program = 'claude' | 'codex' | 'pi' | 'opencode';

const PORT = 8_099;
const PACKAGES: Record<Program, string> = {
  claude: '@anthropic-ai/claude-code',
  codex: '@openai/codex',
  pi: '@mariozechner/pi-coding-agent',
  opencode: 'opencode-ai',
};
const INSTALL_TIMEOUT_MS = 600_000;

const cache = process.env.FLEET_RUNTIMES_CACHE ?? join(homedir(), '.cache/fleet-runtimes');
const modules = join(cache, 'node_modules');

/** Programs are started as they are installed; no install script of theirs runs. */
export const BINARIES: Readonly<Record<Program, string>> = {
  claude: join(modules, `@anthropic-ai/claude-code-linux-${arch()}/claude`),
  codex: join(modules, '.bin/codex'),
  pi: join(modules, '.bin/pi'),
  opencode: join(modules, `opencode-linux-${arch()}/bin/opencode`),
};

export const installPrograms = async (): Promise<void> => {
  if (Object.values(BINARIES).every((path) => existsSync(path))) return;
  mkdirSync(cache, { recursive: true });
  const args = ['install', '--prefix', cache, '--ignore-scripts', '--no-audit', '--no-fund', '--no-save'];
  const result = await exec('npm', [...args, ...Object.values(PACKAGES)], { timeoutMs: INSTALL_TIMEOUT_MS });
  if (result.exitCode !== 0) throw new Error(`npm install: ${result.stderr}`);
};

/** A network of loopback alone, with the stand-in model in it. */
export class ClosedNetwork {
  readonly #server: ChildProcess;

  private constructor(server: ChildProcess) {
    this.#server = server;
  }

  static async start(): Promise<ClosedNetwork> {
    const model = join(import.meta.dirname, 'model-server.ts');
    const script = `ip link set lo up && exec '${process.execPath}' '${model}' ${PORT}`;
    const server = spawn('unshare', ['-n', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((resolve, reject) => {
      server.stdout.once('data', () => resolve());
      server.once('error', reject);
      server.once('exit', (code) => reject(new Error(`no network namespace (root is needed): exit ${code}`)));
    });
    return new ClosedNetwork(server);
  }

  /** Whatever it leaves running ends with its pane: it has a process namespace of its own. */
  command(program: Program, home: string, args: readonly string[] = []): string {
    const env = {
      HOME: home,
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
      COLORTERM: 'truecolor',
      PI_OFFLINE: '1',
      ...(program === 'claude' ? CLAUDE_ACCOUNT : {}),
    };
    const words = Object.entries(env).map(([name, value]) => `'${name}=${value}'`);
    const enter = [...this.entering, 'unshare', '-pf', '--kill-child', '--mount-proc'].join(' ');
    return `${enter} env -i ${words.join(' ')} '${BINARIES[program]}' ${args.join(' ')}`;
  }

  /** In front of a program's words; the program takes its place and runs in here, seen by everybody. */
  get entering(): string[] {
    return ['nsenter', '-t', String(this.#server.pid), '-n'];
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#server.once('exit', resolve));
    this.#server.kill();
    await ended;
  }
}

const model = `http://127.0.0.1:${PORT}`;

/** Stands in for what an account would give; loopback asks for none. */
export const CLAUDE_ACCOUNT = { ANTHROPIC_BASE_URL: model, ANTHROPIC_AUTH_TOKEN: 'none' };

/** What a program needs in its home to talk to the stand-in model. */
export const withModel = (program: Program, home: string): void => {
  const [path, content] = settingsOf(program);
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), typeof content === 'string' ? content : JSON.stringify(content));
};

const settingsOf = (program: Program): [path: string, content: unknown] => {
  switch (program) {
    case 'claude':
      return ['.claude.json', { hasCompletedOnboarding: true, theme: 'dark' }];
    case 'codex':
      return ['.codex/config.toml', CODEX_CONFIG];
    case 'pi':
      return ['.pi/agent/models.json', { providers: { loopback: PI_PROVIDER } }];
    case 'opencode':
      return ['.config/opencode/opencode.json', OPENCODE_CONFIG];
  }
};

const CODEX_CONFIG = [
  'model = "stand-in"',
  'model_provider = "loopback"',
  'approval_policy = "on-request"',
  'sandbox_mode = "read-only"',
  '[model_providers.loopback]',
  'name = "loopback"',
  `base_url = "${model}/v1"`,
  'wire_api = "responses"',
].join('\n');

const OPENCODE_CONFIG = {
  permission: { bash: 'ask' },
  model: 'loopback/stand-in',
  provider: {
    loopback: {
      npm: '@ai-sdk/openai-compatible',
      options: { baseURL: `${model}/v1`, apiKey: 'none' },
      models: { 'stand-in': { name: 'stand-in' } },
    },
  },
};

const PI_PROVIDER = {
  baseUrl: `${model}/v1`,
  api: 'openai-completions',
  apiKey: 'none',
  models: [
    {
      id: 'stand-in',
      name: 'stand-in',
      reasoning: false,
      input: ['text'],
      contextWindow: 100_000,
      maxTokens: 4_096,
      cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    },
  ],
};
