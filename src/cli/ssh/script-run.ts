/** One script through a channel of the connection: its output after the mark, its exit, a deadline for the whole. */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { FleetError } from '../../domain/errors.ts';
import { outputAfter, type RemoteScript } from './remote-script.ts';

const MAX_OUTPUT_CHARACTERS = 4 * 1024 * 1024;

export interface ScriptResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  timeoutMs: number;
  signal: AbortSignal;
  /** After the script, on its stdin. */
  input?: string | Readable;
  /** Each whole line of stderr as it comes. */
  onStderrLine?: (line: string) => void;
}

/** `child` is an ssh that was just started; 255 is its own word for a broken connection. */
export const finishScript = (
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
      if (stdout.length > MAX_OUTPUT_CHARACTERS)
        stop(new FleetError('RESOURCE_EXHAUSTED', `${machine} talks without end`));
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
