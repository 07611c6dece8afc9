/**
 * One ssh connection for a whole command: a master in a private folder, scripts through it. It ends with us:
 * its far end is a `cat` that reads our pipe. Never asks, never forwards an agent, never opens a second connection.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import { effectiveConfig } from './effective-config.ts';
import { keepHostKey, knownHostsFile } from './host-key.ts';
import type { RemoteScript } from './remote-script.ts';
import type { RunOptions, ScriptResult } from './script-run.ts';
import { FIXED_OPTIONS, SshMaster } from './ssh-master.ts';
import { type SshTarget, targetArgs } from './ssh-target.ts';

/** A socket path holds 107 bytes, and ssh adds 17 of its own while it binds. */
const MAX_FOLDER_BYTES = 70;

export interface SshSession extends AsyncDisposable {
  readonly target: SshTarget;
  readonly hostKey: { type: string; fingerprint: string };
  /** Runs a script to its end; a failure of the script is a result, one of the connection a FleetError. */
  run(script: RemoteScript, options: RunOptions): Promise<ScriptResult>;
}

export interface OpenOptions {
  paths: Paths;
  signal: AbortSignal;
  /** `SHA256:…`: accept this key where ssh knows none. */
  hostKey?: string;
}

/**
 * One connection for all that is run there, until it is disposed of. Rejects with what kept ssh out, in words that name the
 * mend (`sshFailure`), and with UNAUTHENTICATED where the machine shows another host key than the one that was named.
 */
export const openSsh = async (target: SshTarget, options: OpenOptions): Promise<SshSession> => {
  const folder = await privateFolder(options.paths);
  try {
    const known = await knownHosts(target, folder, options);
    const controlPath = join(folder, 'm');
    const args = [
      ...['-v', '-o', 'ControlMaster=yes', '-o', `ControlPath=${controlPath}`, ...known.args],
      ...[...FIXED_OPTIONS, ...targetArgs(target), '--', target.machine, 'cat'],
    ];
    const master = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const session = new SshMaster(target, folder, controlPath, master);
    try {
      await session.open(options.signal);
      if (options.hostKey) await checkPinned(session, known.candidate, options);
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
    return session;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
};

/** In our run folder, where the caller's lock makes every older one a leftover of a killed run; else in /tmp. */
const privateFolder = async ({ run }: Paths): Promise<string> => {
  if (Buffer.byteLength(run) > MAX_FOLDER_BYTES) return mkdtemp('/tmp/fleet-ssh-');
  await mkdir(run, { recursive: true, mode: 0o700 });
  for (const name of await readdir(run)) {
    if (name.startsWith('ssh-')) await rm(join(run, name), { recursive: true, force: true });
  }
  return mkdtemp(join(run, 'ssh-'));
};

const checkPinned = async (session: SshMaster, candidate: string | null, options: OpenOptions): Promise<void> => {
  const { fingerprint } = session.hostKey;
  if (fingerprint !== options.hostKey) {
    throw new FleetError('UNAUTHENTICATED', `the machine shows host key ${fingerprint}, not ${options.hostKey}`);
  }
  if (candidate && (await readFile(candidate, 'utf8').catch(() => '')) !== '') {
    await keepHostKey(options.paths, candidate, fingerprint);
  }
};

/** The user's known hosts and our own; with a pinned key also an empty file that a new one is written to. */
const knownHosts = async (
  target: SshTarget,
  folder: string,
  options: OpenOptions,
): Promise<{ args: string[]; candidate: string | null }> => {
  const theirs = (await effectiveConfig(target)).userknownhostsfile ?? '~/.ssh/known_hosts';
  const own = [knownHostsFile(options.paths), theirs];
  const candidate = options.hostKey ? join(folder, 'known_hosts') : null;
  const files = candidate ? [candidate, ...own] : own;
  return {
    args: [
      ...['-o', `UserKnownHostsFile=${files.join(' ')}`],
      ...['-o', `StrictHostKeyChecking=${candidate ? 'accept-new' : 'yes'}`],
    ],
    candidate,
  };
};
