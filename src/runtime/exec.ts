export interface ExecResult {
  /** null when a signal or the deadline ended it, or when it could not be started. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  /** Why it could not be started (ENOENT …), else null. */
  spawnError: string | null;
}

export interface ExecOptions {
  timeoutMs: number;
  input?: string | Uint8Array;
  env?: Record<string, string>;
  /** Only `env`, nothing inherited. */
  cleanEnv?: boolean;
  cwd?: string;
  signal?: AbortSignal;
  maxBufferBytes?: number;
}

/** Runs a program to its end, without a shell. A failure is a result of the same shape, never an exception. */
export const exec = async (file: string, args: readonly string[], options: ExecOptions): Promise<ExecResult> => {
  // A daemon that runs nothing does not carry the library.
  const { execa } = await import('execa');
  const result = await execa(file, [...args], {
    reject: false,
    timeout: options.timeoutMs,
    forceKillAfterDelay: 1_000,
    maxBuffer: options.maxBufferBytes ?? 8 * 1024 * 1024,
    stripFinalNewline: false,
    extendEnv: !options.cleanEnv,
    ...(options.env ? { env: options.env } : {}),
    ...(options.cwd ? { cwd: options.cwd } : {}),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.signal ? { cancelSignal: options.signal } : {}),
  });
  return {
    exitCode: result.exitCode ?? null,
    stdout: String(result.stdout ?? ''),
    stderr: String(result.stderr ?? ''),
    timedOut: result.timedOut ?? false,
    spawnError: result.exitCode === undefined && result.code ? String(result.code) : null,
  };
};
