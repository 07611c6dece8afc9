/** Which keys a roster may have at each place, in which version, and which of them was probably meant. */
import { editDistance } from '../domain/edit-distance.ts';

const AGENT_V1 = [
  'name',
  'runtime',
  'class',
  'host',
  'ssh',
  'socket',
  'model_hint',
  'persistent_persona',
  'reset_between_tasks',
  'working_directory',
  'connector',
] as const;
const AGENT_V2 = ['layout', 'lifecycle', 'effort', 'command', 'env', 'env_file', 'restart'] as const;
const DEFAULTS_V2 = ['layout', 'lifecycle', 'effort', 'command', 'env', 'env_file', 'restart'] as const;

export interface Level {
  v1: readonly string[];
  /** Only in version 2. */
  v2: readonly string[];
  /** By other spelling. */
  twins: ReadonlyMap<string, string>;
}

export const camelCase = (key: string): string => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const level = (v1: readonly string[], v2: readonly string[] = []): Level => ({
  v1,
  v2,
  twins: new Map([...v1, ...v2].map((key) => [camelCase(key), key])),
});

const LEVELS: readonly { path: RegExp; level: Level }[] = [
  { path: /^$/, level: level(['version', 'transport', 'tmux', 'defaults', 'runtimes', 'connector', 'agents']) },
  { path: /^tmux$/, level: level(['socket_name', 'holder_session']) },
  { path: /^defaults$/, level: level(['working_directory'], DEFAULTS_V2) },
  { path: /^runtimes\0[^\0]+$/, level: level(['reset_command']) },
  { path: /^agents\0\d+$/, level: level(AGENT_V1, AGENT_V2) },
];

/** Null where the keys are names of the operator's own (runtimes, variables). */
export const levelAt = (path: readonly (string | number)[]): Level | null => {
  const joined = path.join('\0');
  return LEVELS.find((entry) => entry.path.test(joined))?.level ?? null;
};

/** Every key that an agent's entry may have, in either version. */
export const keysOfAgents = (): { keys: readonly string[]; level: Level } => {
  const agents = levelAt(['agents', 0]) as Level;
  return { keys: [...agents.v1, ...agents.v2], level: agents };
};

/** The roster's own spelling of a key: `modelHint` is `model_hint`. */
export const canonicalKey = (key: string, at: Level | null): string => at?.twins.get(key) ?? key;

/** The known key that differs from `key` by the fewest letters, if few enough to be a slip. */
export const nearestKey = (key: string, known: readonly string[]): string | null => {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '');
  let nearest: string | null = null;
  let least = Math.max(2, Math.floor(key.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(plain(key), plain(candidate));
    if (distance < least) [nearest, least] = [candidate, distance];
  }
  return nearest;
};
