/** Runs a script of deploy/remote as `host add` does, in a home of its own on this machine instead of over ssh. */
import { execFile } from 'node:child_process';
import { outputAfter, remoteScript } from '../../../src/cli/ssh/remote-script.ts';

export interface RemoteRun {
  code: number;
  stdout: string;
  stderr: string;
}

export const runRemote = (
  name: string,
  values: Record<string, string>,
  options: { home: string; input?: string | Uint8Array; shell?: string; bin?: string },
): Promise<RemoteRun> => {
  const script = remoteScript(name, values);
  return new Promise((resolve) => {
    const path = process.env.PATH ?? '';
    const env = { HOME: options.home, PATH: options.bin ? `${options.bin}:${path}` : path };
    const child = execFile(
      options.shell ?? 'sh',
      ['-c', script.command],
      { env, timeout: 60_000 },
      (error, stdout, stderr) => {
        const code = error ? ((error.code as unknown as number) ?? -1) : 0;
        resolve({ code, stdout: outputAfter(script.beginMark, stdout) ?? '', stderr });
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.write(script.head);
    child.stdin?.end(options.input ?? '');
  });
};
