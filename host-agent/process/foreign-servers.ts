/** In: /proc. Out: the owners of tmux servers that are not ours, as it shows everybody; none where it hides others. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const PROC = '/proc';
const SERVER_NAME = 'tmux: server';

/** Uids of the tmux servers that are not `uid`’s, one for each server. */
export const foreignServers = (uid: number): number[] =>
  readdirSync(PROC)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const owner = statSync(join(PROC, name)).uid;
        const isServer = owner !== uid && readFileSync(join(PROC, name, 'comm'), 'utf8').trimEnd() === SERVER_NAME;
        return isServer ? [owner] : [];
      } catch {
        // It ended while being read.
        return [];
      }
    });
