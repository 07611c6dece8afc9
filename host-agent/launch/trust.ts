/**
 * Whether a runtime would first ask if the working directory can be trusted: an agent parked at that prompt looks alive and
 * does nothing for hours. Read from the runtimes' own files; what cannot be read is not warned of.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Finding } from './preflight.ts';
import type { ResolvedAgent } from './resolve-agent.ts';

export const trustWarning = ({ runtime, workdir, environment }: ResolvedAgent, home: string): Finding | null => {
  const trusts = TRUST[runtime ?? '']?.(home, environment);
  if (trusts === undefined || withParents(workdir).some(trusts)) return null;
  const words = `${runtime} has not been told to trust ${workdir}: it will wait at a prompt until somebody answers it there`;
  return { code: 'trust', words };
};

type Trusts = (folder: string) => boolean;

/** A folder is trusted with what it stands in. */
const withParents = (folder: string): string[] =>
  folder === dirname(folder) ? [folder] : [folder, ...withParents(dirname(folder))];

const TRUST: Readonly<Record<string, (home: string, env: ReadonlyMap<string, string>) => Trusts>> = {
  claude: (home, env) => {
    const { projects } = jsonOf(textOf(join(env.get('CLAUDE_CONFIG_DIR') || home, '.claude.json')));
    return (folder) => (projects as Projects | undefined)?.[folder]?.hasTrustDialogAccepted === true;
  },
  codex: (home, env) => {
    const text = textOf(join(env.get('CODEX_HOME') || join(home, '.codex'), 'config.toml'));
    const trusted = [...text.matchAll(/^\[projects\.(?:"([^"]*)"|'([^']*)')\]\s*\n((?:(?!\[).*\n?)*)/gm)]
      .filter(([, , , body]) => /^\s*trust_level\s*=\s*["']trusted["']/m.test(body!))
      .map(([, double, single]) => double?.replaceAll('\\\\', '\\') ?? single);
    return (folder) => trusted.includes(folder);
  },
};

type Projects = Record<string, { hasTrustDialogAccepted?: unknown } | undefined>;

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const jsonOf = (text: string): Record<string, unknown> => {
  try {
    return { ...(JSON.parse(text) as object) };
  } catch {
    return {};
  }
};
