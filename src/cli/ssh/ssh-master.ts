/** The master process of one connection: opened, used by scripts through its socket, ended with us. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { FleetError } from '../../domain/errors.ts';
import { saidBySsh, seenHostKey } from './host-key.ts';
import type { RemoteScript } from './remote-script.ts';
import { finishScript, type RunOptions, type ScriptResult } from './script-run.ts';
import { sshFailure } from './ssh-failure.ts';
import { type SshTarget, targetArgs, targetText } from './ssh-target.ts';

const CONNECT_TIMEOUT_S = 10;
const OPEN_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 3_000;
const MAX_TRACE_CHARACTERS = 256 * 1024;

export const FIXED_OPTIONS = [
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

export class SshMaster {
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
      if (this.#said.length < MAX_TRACE_CHARACTERS) this.#said += chunk.toString('utf8');
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
    return finishScript(child, script, options, targetText(this.target));
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
