/**
 * Whether a runtime would first ask if the working directory can be trusted: an agent parked at that prompt looks alive and
 * does nothing for hours. Read from the runtimes' own files; what cannot be read is not warned of.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Finding } from './preflight-file.ts';
import type { ResolvedAgent } from './resolve-agent.ts';

export const trustWarning = ({ runtime, workdir, environment }: ResolvedAgent, home: string): Finding | null => {
  // They ask for the folder that a process finds itself in, whatever links lead there.
  const isTrusted = TRUST[runtime ?? '']?.(resolved(workdir), home, environment) ?? true;
  if (isTrusted) return null;
  const words = `${runtime} has not been told to trust ${workdir}: it will wait at a prompt until somebody answers it there`;
  return { code: 'trust', words };
};

const TRUST: Readonly<Record<string, (folder: string, home: string, env: ReadonlyMap<string, string>) => boolean>> = {
  /** Trusts a folder with what it stands in (2.1). */
  claude: (folder, home, env) => {
    const { projects } = jsonOf(textOf(join(env.get('CLAUDE_CONFIG_DIR') || home, '.claude.json')));
    return withParents(folder).some(
      (each) => (projects as Projects | undefined)?.[each]?.hasTrustDialogAccepted === true,
    );
  },
  /** Asks only inside a repository, for the folder itself or the repository's root, of a worktree its main one (0.171). */
  codex: (folder, home, env) => {
    const root = repositoryOf(folder);
    if (root === null) return true;
    const trusted = foldersTrustedBy(textOf(join(env.get('CODEX_HOME') || join(home, '.codex'), 'config.toml')));
    return trusted.includes(folder) || trusted.includes(root);
  },
};

/** codex writes a table for each folder; a person may have written one line. */
const foldersTrustedBy = (toml: string): string[] =>
  [
    ...toml.matchAll(/^\[projects\.(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\]\s*\n((?:(?!\[).*\n?)*)/gm),
    ...toml.matchAll(/^(?:projects\.)?(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*=\s*\{([^}\n]*)\}/gm),
  ]
    .filter(([, , , body]) => /(?:^|[\s,])trust_level\s*=\s*["']trusted["']/.test(body!))
    .map(([, double, single]) => double?.replace(/\\(["\\])/g, '$1') ?? single!);

const repositoryOf = (folder: string): string | null => {
  const root = withParents(folder).find((each) => existsSync(join(each, '.git')));
  if (root === undefined) return null;
  const [, main] = /^gitdir: *(.+)\/\.git\/worktrees\/[^/]+\/?$/m.exec(textOf(join(root, '.git'))) ?? [];
  return main ?? root;
};

const withParents = (folder: string): string[] =>
  folder === dirname(folder) ? [folder] : [folder, ...withParents(dirname(folder))];

const resolved = (folder: string): string => {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
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
