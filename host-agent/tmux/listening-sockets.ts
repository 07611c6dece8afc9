/**
 * In: /proc. Out: the Unix sockets on which somebody listens, and which of them are tmux servers of one user.
 * Never: a process forked, or a walk over all processes while no new socket has appeared.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { ownerOf, readProcessStat } from './process-stat.ts';

export interface ListeningSocket {
  path: string;
  /** null: not a tmux server of this user, as far as /proc tells. */
  server: { pid: number; startTicks: number } | null;
}

const ACCEPTS_CONNECTIONS = 0x10000;
const SERVER_NAME = 'tmux: server';

/** Lines of /proc/net/unix: address, references, protocol, flags, type, state, inode, path. */
const LINE = /^[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ ([0-9A-F]+) 0001 01 +(\d+) (\/.*)$/;

export const parseNetUnix = (text: string): Map<string, string> => {
  const pathOf = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (match && (Number.parseInt(match[1]!, 16) & ACCEPTS_CONNECTIONS) !== 0) pathOf.set(match[2]!, match[3]!);
  }
  return pathOf;
};

/** A descriptor may be closed between the listing and this. */
const linkOf = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

interface Holder {
  pid: number;
  parentPid: number;
  startTicks: number;
}

/** What a server forks is a copy of it, name and sockets too, until it has become its program: the server is nobody's copy. */
const serverOf = (holders: readonly Holder[]): ListeningSocket['server'] => {
  const pids = new Set(holders.map(({ pid }) => pid));
  const server = holders.find(({ parentPid }) => !pids.has(parentPid));
  return server === undefined ? null : { pid: server.pid, startTicks: server.startTicks };
};

export class ListeningSockets {
  readonly #procRoot: string;
  readonly #uid: number;
  /** By socket inode; each is looked up once in its life. */
  #known = new Map<string, ListeningSocket['server']>();

  constructor(options: { procRoot: string; uid: number }) {
    this.#procRoot = options.procRoot;
    this.#uid = options.uid;
  }

  /** Throws when /proc/net/unix cannot be read. */
  read(): ListeningSocket[] {
    const pathOf = parseNetUnix(readFileSync(`${this.#procRoot}/net/unix`, 'utf8'));
    const known = new Map<string, ListeningSocket['server']>();
    for (const inode of pathOf.keys()) {
      const server = this.#known.get(inode);
      if (server !== undefined) known.set(inode, server);
    }
    if (known.size < pathOf.size) {
      const holders = this.#holdersByInode();
      for (const inode of pathOf.keys()) if (!known.has(inode)) known.set(inode, serverOf(holders.get(inode) ?? []));
    }
    this.#known = known;
    return [...pathOf].map(([inode, path]) => ({ path, server: known.get(inode) ?? null }));
  }

  #holdersByInode(): Map<string, Holder[]> {
    const holders = new Map<string, Holder[]>();
    for (const name of readdirSync(this.#procRoot)) {
      if (!/^\d+$/.test(name)) continue;
      const pid = Number(name);
      for (const inode of this.#socketsOfServer(pid)) {
        const stat = readProcessStat(this.#procRoot, pid);
        if (stat) holders.set(inode, [...(holders.get(inode) ?? []), { pid, ...stat }]);
      }
    }
    return holders;
  }

  #socketsOfServer(pid: number): string[] {
    const folder = `${this.#procRoot}/${pid}`;
    try {
      if (ownerOf(this.#procRoot, pid) !== this.#uid) return [];
      if (readFileSync(`${folder}/comm`, 'utf8').trimEnd() !== SERVER_NAME) return [];
      return readdirSync(`${folder}/fd`).flatMap((fd) => {
        const match = /^socket:\[(\d+)\]$/.exec(linkOf(`${folder}/fd/${fd}`));
        return match ? [match[1]!] : [];
      });
    } catch {
      // It ended while being read.
      return [];
    }
  }
}
