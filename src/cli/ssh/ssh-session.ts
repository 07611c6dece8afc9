/**
 * One ssh connection for a whole command: a master in a private folder, scripts through it. It ends with us:
 * its far end is a `cat` that reads our pipe. Never asks, never forwards an agent, never opens a second connection.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import { effectiveConfig } from './effective-config.ts';
import { keepHostKey, knownHostsFile, saidBySsh, seenHostKey } from './host-key.ts';
import { outputAfter, type RemoteScript } from './remote-script.ts';
import { sshFailure } from './ssh-failure.ts';
import { type SshTarget, targetArgs, targetText } from './ssh-target.ts';

const CONNECT_TIMEOUT_S = 10;
const OPEN_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 3_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** A socket path holds 107 bytes, and ssh adds 17 of its own while it binds. */
const MAX_FOLDER_BYTES = 70;

export interface ScriptResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface SshSession extends AsyncDisposable {
  readonly target: SshTarget;
  readonly hostKey: { type: string; fingerprint: string };
  /** Runs a script to its end; a failure of the script is a result, one of the connection a FleetError. */
  run(script: RemoteScript, options: RunOptions): Promise<ScriptResult>;
}

export interface RunOptions {
  timeoutMs: number;
  signal: AbortSignal;
  /** After the script, on its stdin. */
  input?: string | Readable;
  /** Each whole line of stderr as it comes. */
  onStderrLine?: (line: string) => void;
}

export interface OpenOptions {
  paths: Paths;
  signal: AbortSignal;
  /** `SHA256:…`: accept this key where ssh knows none. */
  hostKey?: string;
}

const FIXED_OPTIONS = [
  'BatchMode=yes',
  `ConnectTimeout=${CONNECT_TIMEOUT_S}`,
  'ServerAliveInterval=5',
  'ServerAliveCountMax=3',
  'ClearAllForwardings=yes',
  'ForwardAgent=no',
  'ForwardX11=no',
  'PermitLocalCommand=no',
  'RemoteCommand=none',
  'RequestTTY=no',
  'ControlPersist=no',
  'EscapeChar=none',
].flatMap((option) => ['-o', option]);

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
    const session = new MasterSession(target, folder, controlPath, master);
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

const checkPinned = async (session: MasterSession, candidate: string | null, options: OpenOptions): Promise<void> => {
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

class MasterSession implements SshSession {
  readonly target: SshTarget;
  hostKey = { type: '', fingerprint: '' };
  readonly #folder: string;
  readonly #controlPath: string;
  readonly #master: ChildProcess;
  #said = '';
  #spawnError: NodeJS.ErrnoException | null = null;

  constructor(target: SshTarget, folder: string, controlPath: string, master: ChildProcess) {
    this.target = target;
    this.#folder = folder;
    this.#controlPath = controlPath;
    this.#master = master;
    master.once('error', (error) => {
      this.#spawnError = error;
    });
    master.stdin?.on('error', () => {});
    master.stderr?.on('data', (chunk: Buffer) => {
      if (this.#said.length < MAX_OUTPUT_BYTES) this.#said += chunk.toString('utf8');
    });
  }

  /** Until the far end has answered once. Throws what ssh said, made plain. */
  async open(signal: AbortSignal): Promise<void> {
    const mark = `fleet-open-${process.pid}`;
    this.#master.stdin?.write(`${mark}\n`);
    let echoed = '';
    const outcome = await new Promise<'open' | 'ended' | 'late' | 'aborted'>((resolve) => {
      const timer = setTimeout(() => resolve('late'), OPEN_TIMEOUT_MS);
      const settle = (value: 'open' | 'ended' | 'late' | 'aborted') => {
        clearTimeout(timer);
        resolve(value);
      };
      signal.addEventListener('abort', () => settle('aborted'), { once: true });
      this.#master.stdout?.on('data', (chunk: Buffer) => {
        echoed = (echoed + chunk.toString('utf8')).slice(-4_096);
        if (echoed.includes(mark)) settle('open');
      });
      this.#master.once('close', () => settle('ended'));
      this.#master.once('error', () => settle('ended'));
    });
    const key = seenHostKey(this.#said);
    if (outcome === 'open' && key) {
      this.hostKey = key;
      return;
    }
    if (outcome === 'aborted') throw new FleetError('CANCELLED', 'cancelled while connecting');
    if (this.#spawnError) {
      throw new FleetError(
        'FAILED_PRECONDITION',
        `ssh cannot be started (${this.#spawnError.code}): install openssh-client`,
      );
    }
    throw sshFailure(targetText(this.target), saidBySsh(this.#said), key, outcome === 'late');
  }

  run(script: RemoteScript, options: RunOptions): Promise<ScriptResult> {
    // Without a master ssh would quietly connect anew: the false proxy makes that fail.
    const own = ['-o', 'ControlMaster=no', '-o', `ControlPath=${this.#controlPath}`, '-o', 'ProxyCommand=false'];
    const args = [...own, ...FIXED_OPTIONS, ...targetArgs(this.target), '--', this.target.machine, script.command];
    const child = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    return finish(child, script, options, targetText(this.target));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#master;
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
      child.stdin?.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const finish = (
  child: ChildProcess,
  script: RemoteScript,
  options: RunOptions,
  machine: string,
): Promise<ScriptResult> =>
  new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    let line = '';
    let reason: FleetError | null = null;
    const stop = (why: FleetError) => {
      reason ??= why;
      child.kill('SIGKILL');
    };
    const cancel = () => stop(new FleetError('CANCELLED', `cancelled while working on ${machine}`));
    const timer = setTimeout(
      () => stop(new FleetError('DEADLINE_EXCEEDED', `${machine} did not answer within ${options.timeoutMs / 1000} s`)),
      options.timeoutMs,
    );
    options.signal.addEventListener('abort', cancel, { once: true });
    if (options.signal.aborted) cancel();
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8');
      if (stdout.length > MAX_OUTPUT_BYTES) stop(new FleetError('RESOURCE_EXHAUSTED', `${machine} talks without end`));
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      const text = chunk.toString('utf8');
      stderr = (stderr + text).slice(-16_384);
      if (!options.onStderrLine) return;
      const lines = (line + text).split('\n');
      line = (lines.pop() as string).slice(-16_384);
      for (const whole of lines) options.onStderrLine(whole.replace(/\r$/, ''));
    });
    // A script that ends early breaks our pipe; its exit says why.
    child.stdin?.on('error', () => {});
    child.stdin?.write(script.head);
    const { input } = options;
    if (input === undefined || typeof input === 'string') child.stdin?.end(input ?? '');
    else
      input
        .on('error', (cause) => stop(new FleetError('DATA_LOSS', `cannot read what is sent: ${cause.message}`)))
        .pipe(child.stdin!);
    child.once('error', (cause) => {
      clearTimeout(timer);
      reject(new FleetError('FAILED_PRECONDITION', 'ssh cannot be started: install openssh-client', { cause }));
    });
    child.once('close', (exitCode) => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', cancel);
      if (reason) return reject(reason);
      const own = outputAfter(script.beginMark, stdout);
      if (own === null || exitCode === 255) {
        const why = stderr.trim().split('\n').at(-1) ?? '';
        return reject(
          new FleetError('UNAVAILABLE', `the connection to ${machine} broke${why && `: ${why}`}: run it again`),
        );
      }
      resolve({ exitCode, stdout: own, stderr });
    });
  });
