/**
 * In: arguments of a tmux client. Out: its process, and when it is gone. Never: waiting for the end of its pipes,
 * which tmux hands to the server: a hung server holds them long after the client has been ended.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { observerEnvironment } from './observer.ts';

/** What a client wrote last may still be in its pipes when it exits. */
const DRAIN_MS = 200;

/** `-N` never starts a server, `-u` keeps UTF-8 whatever the locale. */
export const spawnClient = (
  tmuxPath: string,
  socket: string,
  args: readonly string[],
): ChildProcessWithoutNullStreams =>
  spawn(tmuxPath, ['-N', '-u', '-S', socket, ...args], {
    cwd: '/',
    // A session of its own: a terminal's ^C must not signal it.
    detached: true,
    env: observerEnvironment(),
    stdio: 'pipe',
  });

/** Exit code (null: a signal) or the error that kept it from starting; the pipes are closed by then. */
export type ClientEnd = { exitCode: number | null } | { spawnError: NodeJS.ErrnoException };

export const whenGone = (child: ChildProcessWithoutNullStreams): Promise<ClientEnd> =>
  new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (how: ClientEnd) => {
      clearTimeout(timer);
      for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
      resolve(how);
    };
    child.on('error', (spawnError: NodeJS.ErrnoException) => {
      if (child.pid === undefined) end({ spawnError });
    });
    child.on('exit', (exitCode) => {
      timer = setTimeout(end, DRAIN_MS, { exitCode });
    });
    child.on('close', (exitCode) => end({ exitCode }));
    child.stdin.on('error', () => undefined);
  });

export interface ClientOutput {
  end: ClientEnd;
  stdout: Buffer;
  stderr: string;
}

/**
 * Runs a client to its end, however long its server hangs. Aborting ends it by its pid; more output than
 * `maxBytes` does too, and is cut.
 */
export const runClient = async (
  options: { tmuxPath: string; socket: string; args: readonly string[]; maxBytes: number },
  signal: AbortSignal,
): Promise<ClientOutput> => {
  const child = spawnClient(options.tmuxPath, options.socket, options.args);
  const gone = whenGone(child);
  const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
  let bytes = 0;
  // A waiting client ignores SIGTERM until its server answers.
  const kill = () => child.kill('SIGKILL');
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > options.maxBytes) kill();
      else chunks[name].push(chunk);
    });
  }
  signal.addEventListener('abort', kill, { once: true });
  if (signal.aborted) kill();
  child.stdin.end();
  const end = await gone;
  signal.removeEventListener('abort', kill);
  return { end, stdout: Buffer.concat(chunks.stdout), stderr: Buffer.concat(chunks.stderr).toString() };
};
