/**
 * In: /proc and the folder of tmux sockets. Out: every tmux server of the user, by socket and process. Never: a
 * process forked, or a stale socket file taken for a server: liveness is somebody listening, not a file.
 */
import { readdirSync, realpathSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { ListeningSockets } from './listening-sockets.ts';
import { checkSocket } from './socket-safety.ts';

export interface FoundServer {
  socket: string;
  pid: number | null;
  /** Clock ticks from boot to the start of its process: the same whatever the wall clock does. */
  startTicks: number | null;
  /** Why no client can reach it though it lives: its socket file is gone or is another server's. */
  unreachable: string | null;
}

export interface DiscoveryOptions {
  /** Folder of the sockets that `-L` names. */
  folder: string;
  /** Only servers below this folder count; null: all of this user. */
  within: string | null;
  uid: number;
  procRoot: string;
}

const CONNECT_MS = 1_000;

/** Resolves each folder once. */
const resolver = () => {
  const known = new Map<string, string>();
  return (folder: string): string => {
    const path = known.get(folder) ?? resolved(folder);
    known.set(folder, path);
    return path;
  };
};

const resolved = (folder: string): string => {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
};

/** Whether somebody listens who is not in this machine's /proc/net/unix (another network namespace). */
const accepts = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(CONNECT_MS, () => end(true));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #listening: ListeningSockets;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#listening = new ListeningSockets(options);
  }

  /** `unsettled`: a socket file exists on which nobody listens (yet): a server may be on its way up. */
  async look(): Promise<{ servers: FoundServer[]; unsettled: boolean }> {
    const folder = resolved(this.#options.folder);
    const place = resolver();
    const listening = () =>
      this.#listening.read().map((each) => ({ ...each, path: join(place(dirname(each.path)), basename(each.path)) }));
    const servers = new Map<string, FoundServer[]>();
    const add = (found: FoundServer) => servers.set(found.socket, [...(servers.get(found.socket) ?? []), found]);
    for (const { path, server } of listening()) {
      if (server ? this.#counts(path, folder) : dirname(path) === folder) add(this.#found(path, server));
    }
    let unsettled = false;
    for (const name of this.#names(folder)) {
      const path = join(folder, name);
      if (servers.has(path)) continue;
      const { verdict } = checkSocket(path, this.#options.uid);
      if (verdict === 'gone') continue;
      if (verdict === 'safe' && (await accepts(path).catch(() => false))) {
        // It may have begun to listen since the list was read: without its process it would be another server later on.
        add(this.#found(path, listening().find((each) => each.path === path)?.server ?? null));
      } else unsettled = true;
    }
    return { servers: [...servers.values()].flatMap((group) => this.#reachable(group)), unsettled };
  }

  #counts(path: string, folder: string): boolean {
    const { within } = this.#options;
    return within === null || dirname(path) === folder || path.startsWith(`${resolved(within)}/`);
  }

  #names(folder: string): string[] {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  }

  #found(socket: string, server: { pid: number; startTicks: number } | null): FoundServer {
    return { socket, pid: server?.pid ?? null, startTicks: server?.startTicks ?? null, unreachable: null };
  }

  /** Of several servers on one path the youngest owns the file; without a file none can be reached. */
  #reachable(group: FoundServer[]): FoundServer[] {
    const [newest, ...older] = group.sort((a, b) => (b.startTicks ?? 0) - (a.startTicks ?? 0));
    const mend = (server: FoundServer) => `kill -USR1 ${server.pid ?? 'PID'} makes it again`;
    const isGone = checkSocket(newest!.socket, this.#options.uid).verdict === 'gone';
    const first = isGone ? { ...newest!, unreachable: `its socket file is gone; ${mend(newest!)}` } : newest!;
    return [first, ...older.map((each) => ({ ...each, unreachable: 'another server took its socket path' }))];
  }
}
